// GrowSlab: more buffers at the end of a slab, known to all its registrations before any lease can
// be of them.
//
// What is there already, and what operations do with it, is neither touched nor waited for. Of the
// registrations, those under REQUIRE come first: where one cannot pin the new bytes, the others
// give theirs back, and nothing has changed. The rest cannot fail. Those of a closed ring, and
// those that were destroyed, are left as they are: nobody can submit with them.
//
// Threading: any thread; growths of one slab come one after the other. Under the slab's growth
// lock, which is taken first (registration.h has the order), and held while pages are mapped,
// touched and pinned: a registration that is made meanwhile waits for it, and it for one under
// REQUIRE.
//
//   RETURN_IF_ERROR(GrowSlab(*slab, 64));
#ifndef MOORING_CPP_REGISTRATION_SLAB_GROWTH_H_
#define MOORING_CPP_REGISTRATION_SLAB_GROWTH_H_

#include <cstdint>

#include "cpp/base/status.h"
#include "cpp/slabs/slab.h"

namespace mooring {

// All of `buffer_count` buffers or none. Errors: mooring_slab_grow (mooring/slab.h).
Status GrowSlab(Slab& slab, uint64_t buffer_count);

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_SLAB_GROWTH_H_
