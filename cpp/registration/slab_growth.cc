#include "cpp/registration/slab_growth.h"

#include <vector>

#include "cpp/base/ref_counted.h"
#include "cpp/base/result.h"
#include "cpp/base/thread_annotations.h"
#include "cpp/registration/registration.h"
#include "cpp/registration/registration_registry.h"

namespace mooring {
namespace {

using Registrations = std::vector<RefPtr<Registration>>;

constexpr ErrorDetail kRingOfAnotherThread =
    ConstantError(Code::kInvalidState, Retry::kNever,
                  "the slab is registered under REQUIRE with a ring that has an owner thread, and "
                  "this is another: only the owner may pin the new buffers",
                  "grow the slab on the thread that created the ring, or register it under PREFER");

Status CoverRequired(const Registrations& registrations, uint64_t before, uint64_t total_bytes) {
  for (const RefPtr<Registration>& registration : registrations) {
    if (registration->GrowthIsRefused()) return Status(kRingOfAnotherThread);
  }
  for (size_t i = 0; i < registrations.size(); ++i) {
    if (registrations[i]->policy() != Policy::kRequire) continue;
    Status status = registrations[i]->Grow(total_bytes);
    if (status.ok()) continue;
    for (size_t done = 0; done < i; ++done) registrations[done]->Shrink(before);
    return status;
  }
  return OkStatus();
}

Status GrowLocked(Slab& slab, uint64_t buffer_count, const Registrations& registrations)
    REQUIRES(slab.growth_mutex()) {
  const uint64_t before = slab.total_bytes();
  ASSIGN_OR_RETURN(const uint64_t total_bytes, slab.PrepareGrowth(buffer_count));
  Status status = CoverRequired(registrations, before, total_bytes);
  if (!status.ok()) {
    slab.DiscardGrowth();
    return status;
  }
  for (const RefPtr<Registration>& registration : registrations) {
    if (registration->policy() != Policy::kRequire)
      (void)registration->Grow(total_bytes);  // fails for REQUIRE alone
  }
  slab.PublishGrowth();
  return OkStatus();
}

}  // namespace

Status GrowSlab(Slab& slab, uint64_t buffer_count) {
  Registrations registrations;  // outlives the lock
  Status status;
  {
    MutexLock growth(slab.growth_mutex());
    registrations = RegistrationRegistry::Of(slab);
    status = GrowLocked(slab, buffer_count, registrations);
  }
  slab.NotifyWatchers();
  // A registration that was destroyed during the growth may lose its last reference here, which
  // releases budget.
  registrations.clear();
  RegistrationRegistry::PromoteWaiting();
  return status;
}

}  // namespace mooring
