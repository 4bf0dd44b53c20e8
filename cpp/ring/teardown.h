// Teardown of slabs and registrations: what it takes beyond the objects themselves.
//
// The kernel reports through a ring that it has released the pages of a slab, and no caller may be
// reaping that ring. So these functions visit the rings of the process (ring_registry.h), and then
// try to pin what waits for the memlock budget that was returned (registration_registry.h).
//
// Threading: any thread.
#ifndef MOORING_CPP_RING_TEARDOWN_H_
#define MOORING_CPP_RING_TEARDOWN_H_

#include "cpp/base/deadline.h"
#include "cpp/base/ref_counted.h"
#include "cpp/base/status.h"
#include "cpp/registration/registration.h"
#include "cpp/slabs/slab.h"

namespace mooring {

// Waits until the caller's reference to `slab` is the last, then closes it: no registration, no
// operation and no pin is left. kTimeout leaves the slab as it is.
Status CloseSlab(Slab& slab, Deadline deadline);

// Drops the owner's reference. The pages are unmapped now if nothing else uses them.
void DestroySlab(RefPtr<Slab> slab);

// Drops the owner's reference. No operation is submitted with `registration` any more.
void DestroyRegistration(Registration* registration);

}  // namespace mooring

#endif  // MOORING_CPP_RING_TEARDOWN_H_
