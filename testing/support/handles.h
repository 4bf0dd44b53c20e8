// handles.h: owners of the C handles, so that a failed test leaves nothing behind.
//
//   Ring ring = ...;
//   mooring_ring_submit(ring.get(), ...);  // destroyed at the end of the scope
//
// Threading: as the handle.
#ifndef MOORING_TESTING_SUPPORT_HANDLES_H_
#define MOORING_TESTING_SUPPORT_HANDLES_H_

#include <mooring/mooring.h>

#include <memory>

namespace mooring::conformance {

struct HandleDestroyer {
  void operator()(mooring_ring_t* ring) const { mooring_ring_destroy(ring); }
  void operator()(mooring_slab_t* slab) const { mooring_slab_destroy(slab); }
  void operator()(mooring_registration_t* registration) const {
    mooring_registration_destroy(registration);
  }
};

using Ring = std::unique_ptr<mooring_ring_t, HandleDestroyer>;
using Slab = std::unique_ptr<mooring_slab_t, HandleDestroyer>;
using Registration = std::unique_ptr<mooring_registration_t, HandleDestroyer>;

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_HANDLES_H_
