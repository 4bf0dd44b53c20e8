#include "cpp/ring/teardown.h"

#include <time.h>

#include <algorithm>
#include <cinttypes>

#include "cpp/base/format.h"
#include "cpp/registration/registration_registry.h"
#include "cpp/ring/ring_registry.h"

namespace mooring {
namespace {

Status WaitUntilIdle(const Slab& slab, Deadline deadline) {
  int64_t pause_ns = 20'000;
  for (;;) {
    RingRegistry::PumpAll();
    const uint32_t references = slab.RefCount();
    if (references == 1) return OkStatus();
    if (deadline.Passed()) {
      return Status(
          Code::kTimeout, Retry::kLater,
          Format("%" PRIu32 " registrations, pins or operations still keep the slab's memory",
                 references - 1),
          "destroy its registrations, let operations on it complete (mooring_ring_close cancels "
          "them), reap rings that have an owner thread, and call close again");
    }
    const timespec pause{0, static_cast<long>(std::min(pause_ns, deadline.RemainingNs()))};
    nanosleep(&pause, nullptr);
    pause_ns = std::min<int64_t>(pause_ns * 2, 5'000'000);
  }
}

}  // namespace

Status CloseSlab(Slab& slab, Deadline deadline) {
  Status status = WaitUntilIdle(slab, deadline);
  if (status.ok()) slab.Close();
  RegistrationRegistry::PromoteWaiting();
  return status;
}

void DestroySlab(RefPtr<Slab> slab) {
  slab.reset();
  RingRegistry::PumpAll();
  RegistrationRegistry::PromoteWaiting();
}

void DestroyRegistration(Registration* registration) {
  const RefPtr<BufferTable> table = registration->table_reference();
  registration->MarkDestroyed();
  registration->DropRef();
  RingRegistry::Pump(table.get());  // the buffer tag may be there already
  RegistrationRegistry::PromoteWaiting();
}

}  // namespace mooring
