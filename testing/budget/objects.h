// objects.h: handles for tests that run in a child, where there is nobody to tell of a failure:
// what cannot be had is null, and the library's words go to stderr.
//
// Threading: any.
#ifndef MOORING_TESTING_BUDGET_OBJECTS_H_
#define MOORING_TESTING_BUDGET_OBJECTS_H_

#include <mooring/mooring.h>

#include <cstdint>

#include "testing/support/handles.h"
#include "testing/support/operations.h"

namespace mooring::conformance {

Ring CreateRing(uint32_t submission_count, uint32_t flags = 0);
// Not touched before the kernel pins it.
Slab CreateSlab(uint64_t buffer_bytes, uint64_t buffer_count);
Registration Register(const Ring& ring, const Slab& slab);

mooring_ring_info_t Info(const Ring& ring);
mooring_registration_info_t Info(const Registration& registration);

// Submits one operation and waits for its completion. A result of INT64_MIN: it never came.
mooring_completion_t RunOne(const Ring& ring, const mooring_op_t& operation);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_BUDGET_OBJECTS_H_
