#include "testing/budget/objects.h"

#include <cstdio>

#include "testing/support/eventually.h"

namespace mooring::conformance {
namespace {

// Prints and destroys `error`.
void Report(mooring_error_t* error) {
  if (error == nullptr) return;
  std::fprintf(stderr, "%s\n  remedy: %s\n", mooring_error_message(error),
               mooring_error_remedy(error));
  mooring_error_destroy(error);
}

}  // namespace

Ring CreateRing(uint32_t submission_count, uint32_t flags) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.submission_count = submission_count;
  options.flags = flags;
  mooring_ring_t* ring = nullptr;
  Report(mooring_ring_create(&options, &ring));
  return Ring(ring);
}

Slab CreateSlab(uint64_t buffer_bytes, uint64_t buffer_count) {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = buffer_bytes;
  options.buffer_count = buffer_count;
  options.touch = MOORING_TOUCH_NONE;
  mooring_slab_t* slab = nullptr;
  Report(mooring_slab_create(&options, &slab));
  return Slab(slab);
}

Registration Register(const Ring& ring, const Slab& slab) {
  mooring_registration_t* registration = nullptr;
  Report(mooring_registration_create(ring.get(), slab.get(), nullptr, &registration));
  return Registration(registration);
}

mooring_ring_info_t Info(const Ring& ring) {
  mooring_ring_info_t info{};
  info.struct_size = sizeof info;
  Report(mooring_ring_get_info(ring.get(), &info));
  return info;
}

mooring_registration_info_t Info(const Registration& registration) {
  mooring_registration_info_t info{};
  info.struct_size = sizeof info;
  info.outcome = MOORING_OUTCOME_COPY;
  if (registration) Report(mooring_registration_get_info(registration.get(), &info));
  return info;
}

mooring_completion_t RunOne(const Ring& ring, const mooring_op_t& operation) {
  mooring_completion_t completion{};
  completion.result = INT64_MIN;
  uint32_t accepted = 0;
  uint32_t count = 0;
  Report(mooring_ring_submit_and_reap(ring.get(), &operation, 1, &accepted, &completion, 1, 1,
                                      kPatienceNs, &count));
  return completion;
}

}  // namespace mooring::conformance
