// mooring.h: everything. This header declares nothing itself; it includes the others and explains
// how they fit.
//
//   slab          memory, split into equal buffers, handed out as leases (slab.h) ring takes
//   batches of operations, gives one completion for each                     (ring.h, operation.h)
//   registration  makes a slab nameable by a ring: pinned if the machine allows, and says so
//   (registration.h) facts         what this machine gives (facts.h) error         what a failed
//   call returns: message, remedy, errno, retry class                (error.h)
//
// Lifecycle: create slab and ring in either order, then registrations between them; destroy in any
// order. Objects that depend on one that was destroyed stay safe to destroy, and memory outlives
// the kernel's use of it.
//
// Options structs begin with struct_size, zero means default in every field, and unknown tails must
// be zero. Info structs begin with struct_size, which the caller sets to what it has room for. Call
// mooring_*_OPTIONS_INIT or zero the struct and set struct_size.
//
// A child of fork(2) gets MOORING_CODE_FORKED from every call on an object of its parent, except
// destroy, which frees the child's bookkeeping and touches no ring.
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
