// RegistrationRegistry: the registrations of this process, oldest first, for whoever has something
// to pin for them later on. What gives memlock budget back (a registration, a slab, a ring that
// goes) wakes those that lack it: those whose ring this thread may register with are tried at once,
// without pauses; owners of others find the request at their next call. A slab that grows asks for
// its own. A fork child has an empty list.
//
// The kernel returns budget late after a ring was closed, and up to 6.3 always. So every wake tries
// again until a while after the last return; then none does until something is given back again.
//
// Threading: any thread. The list is locked for looking, not while pages are pinned.
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

  static void PromoteWaiting();
  // Those of `table`, on the thread of its owner, who was asked by another.
  static void PromoteForOwner(const BufferTable& table);

  // Those of `slab`. Drop the references without its growth lock.
  static std::vector<RefPtr<Registration>> Of(const Slab& slab);
  // The registrations of `table` forget the pins that it has lost. Drops no reference.
  static void DropLost(const BufferTable& table);
};

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_REGISTRATION_REGISTRY_H_
