// GrowSlab: adds buffers at the end of a slab. All registrations of the slab cover them before a
// lease can contain one.
//
// It neither changes nor waits for existing buffers or operations on them. Registrations under
// REQUIRE come first: if one cannot pin the new bytes, the others unpin theirs, and nothing has
// changed. The rest cannot fail. Registrations of a closed ring, and destroyed ones, do not grow:
// no operation can be submitted with them.
//
// Threading: any thread. Growths of one slab run one after the other, under the slab's growth lock,
// which is taken first (registration.h has the order). It is held while pages are mapped,
// prefaulted and pinned. A registration that is created during a growth waits for it, and a growth
// waits for a registration that is created under REQUIRE.
//
//   RETURN_IF_ERROR(GrowSlab(*slab, 64));
#ifndef MOORING_CPP_REGISTRATION_SLAB_GROWTH_H_
#define MOORING_CPP_REGISTRATION_SLAB_GROWTH_H_

#include <cstdint>

#include "cpp/base/status.h"
#include "cpp/slabs/slab.h"

namespace mooring {

// Adds all of `buffer_count` buffers, or none. Errors: mooring_slab_grow (mooring/slab.h).
Status GrowSlab(Slab& slab, uint64_t buffer_count);

}  // namespace mooring

#endif  // MOORING_CPP_REGISTRATION_SLAB_GROWTH_H_
