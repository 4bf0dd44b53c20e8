// mooring.h: all of the C interface. This header declares nothing: it includes the others and
// explains how the objects fit together.
//
//   slab          memory in equal buffers, which the caller leases (slab.h)
//   ring          takes batches of operations, returns completions (ring.h, operation.h)
//   registration  makes a slab usable by a ring, pinned if the machine permits it; reports the
//                 result (registration.h)
//   facts         what this machine provides (facts.h)
//   error         what a failed call returns: message, remedy, errno, retry class (error.h)
//
// Lifecycle: create slab and ring in either order, then registrations of slabs on rings. Destroy
// them in any order. An object stays safe to destroy after one that it depends on was destroyed.
// Memory stays mapped while the kernel uses it.
//
// Options structs begin with struct_size. Zero means default in every field. Fields that the
// library does not know must be zero. Set options with MOORING_*_OPTIONS_INIT, or zero the struct
// and set struct_size. Info structs begin with struct_size, which the caller sets to their size.
//
// In a child of fork(2), every call on an object of the parent returns MOORING_CODE_FORKED. Only
// destroy is allowed: it frees the memory of the child, and does not use the ring.
#ifndef MOORING_MOORING_H_
#define MOORING_MOORING_H_

#include "mooring/error.h"
#include "mooring/export.h"
#include "mooring/facts.h"
#include "mooring/operation.h"
#include "mooring/registration.h"
#include "mooring/ring.h"
#include "mooring/slab.h"
#include "mooring/version.h"

#endif  // MOORING_MOORING_H_
