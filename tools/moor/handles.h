// Handles: owners of Mooring objects, so that an exception releases the objects that were created.
//
// Lifecycle: an owner destroys its object; no destructor waits. Threading: that of the object.
//
//   mooring_ring_t* ring = nullptr;
//   Check(mooring_ring_create(&options, &ring));
//   RingOwner owner(ring);
#ifndef MOORING_TOOLS_MOOR_HANDLES_H_
#define MOORING_TOOLS_MOOR_HANDLES_H_

#include <memory>

#include <mooring/mooring.h>

namespace moor {

template <auto destroy>
struct DestroyWith {
  template <typename T>
  void operator()(T* object) const {
    destroy(object);
  }
};

using SlabOwner = std::unique_ptr<mooring_slab_t, DestroyWith<mooring_slab_destroy>>;
using RingOwner = std::unique_ptr<mooring_ring_t, DestroyWith<mooring_ring_destroy>>;
using RegistrationOwner =
    std::unique_ptr<mooring_registration_t, DestroyWith<mooring_registration_destroy>>;

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_HANDLES_H_
