// RegistrationRegistry: the registrations of this process, oldest first. A call that releases
// memlock budget (by destroying a registration, a slab or a ring) uses it to promote registrations
// that lack budget. If this thread may register with their ring, it tries them in that call,
// without pauses. The owners of other rings find the request at their next call. A slab that grows
// finds its registrations here. The registry of a fork child is empty.
//
// The kernel returns budget late after a ring was closed, and up to 6.3 always. So each call tries
// again until some time after the last release, and then does nothing until the next release.
//
// Threading: any thread. The list is locked while it is read, not while pages are pinned.
//
//   RegistrationRegistry::PromoteWaiting();   // after something was destroyed
#ifndef MOORING_CPP_REGISTRATION_REGISTRATION_REGISTRY_H_
#define MOORING_CPP_REGISTRATION_REGISTRATION_REGISTRY_H_

#include <vector>

#include "cpp/base/ref_counted.h"

namespace mooring {

class BufferTable;
class Registration;
class Slab;

class RegistrationRegistry {
 public:
  static void Add(Registration* registration);
  static void Remove(Registration* registration);

  // Promotes registrations that lack memlock, if this process has released some.
  static void PromoteWaiting();
  // Promotes those of `table` after BufferTable::RequestPromotion, on a thread that may register.
  static void PromoteForOwner(const BufferTable& table);

  // Those of `slab`. Drop the references without holding its growth lock.
  static std::vector<RefPtr<Registration>> Of(const Slab& slab);
  // The registrations of `table` invalidate the pins that it has lost. Drops no reference.
  static void InvalidateLostPins(const BufferTable& table);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_REGISTRATION_REGISTRY_H_
