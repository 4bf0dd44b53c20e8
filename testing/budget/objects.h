// objects.h: handles for tests that run in a child process, where assertions do not reach the
// parent. An object that cannot be created is null, and its error is printed to stderr.
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
// Without prefault: its pages are populated when the kernel pins them.
Slab CreateSlab(uint64_t buffer_bytes, uint64_t buffer_count);
Registration Register(const Ring& ring, const Slab& slab);

mooring_ring_info_t Info(const Ring& ring);
mooring_registration_info_t Info(const Registration& registration);

// Submits one operation and waits for its completion. The result is INT64_MIN when none arrives.
mooring_completion_t RunOne(const Ring& ring, const mooring_op_t& operation);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_BUDGET_OBJECTS_H_
