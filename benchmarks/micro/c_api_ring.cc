#include "benchmarks/micro/c_api_ring.h"

namespace mooring::benchmarks {
namespace {

// Returns the text of `error` and destroys it.
std::string Take(mooring_error_t* error) {
  const std::string text =
      std::string(mooring_error_message(error)) + "; " + mooring_error_remedy(error);
  mooring_error_destroy(error);
  return text;
}

}  // namespace

std::unique_ptr<CApiRing> CApiRing::Create(bool owner_thread, std::string* error) {
  std::unique_ptr<CApiRing> made(new CApiRing);
  mooring_error_t* failure = made->Open(owner_thread);
  if (failure == nullptr) return made;
  *error = Take(failure);
  return nullptr;
}

mooring_error_t* CApiRing::Open(bool owner_thread) {
  mooring_slab_options_t slab_options = MOORING_SLAB_OPTIONS_INIT;
  slab_options.buffer_bytes = kBlockBytes;
  slab_options.buffer_count = kDepthMax;
  mooring_error_t* error = mooring_slab_create(&slab_options, &slab_);
  if (error != nullptr) return error;

  mooring_ring_options_t ring_options = MOORING_RING_OPTIONS_INIT;
  ring_options.engine = MOORING_ENGINE_IO_URING;
  ring_options.flags = owner_thread ? MOORING_RING_OWNER_THREAD : 0;
  error = mooring_ring_create(&ring_options, &ring_);
  if (error != nullptr) return error;
  info_.struct_size = sizeof info_;
  error = mooring_ring_get_info(ring_, &info_);
  if (error != nullptr) return error;

  mooring_registration_options_t registration_options = MOORING_REGISTRATION_OPTIONS_INIT;
  registration_options.policy = MOORING_POLICY_REQUIRE;
  error = mooring_registration_create(ring_, slab_, &registration_options, &registration_);
  if (error != nullptr) return error;

  // Each acquire returns the lowest free buffer: lease i is buffer i, so both Namings use the same
  // memory.
  for (mooring_lease_t& lease : leases_) {
    error = mooring_slab_acquire(slab_, 1, &lease);
    if (error != nullptr) return error;
  }
  data_ = static_cast<std::byte*>(mooring_slab_data(slab_, leases_[0]));
  fd_ = SampleFile::Get().fd();
  return nullptr;
}

CApiRing::~CApiRing() {
  for (const mooring_lease_t& lease : leases_) {
    if (lease.generation != 0) mooring_error_destroy(mooring_slab_release(slab_, lease));
  }
  mooring_registration_destroy(registration_);
  mooring_ring_destroy(ring_);
  mooring_slab_destroy(slab_);
}

uint64_t CApiRing::CountOf(OperationKind kind) const {
  mooring_ring_stats_t stats = {};
  stats.struct_size = sizeof stats;
  if (mooring_error_t* error = mooring_ring_get_stats(ring_, &stats)) {
    mooring_error_destroy(error);
    return 0;
  }
  switch (kind) {
    case OperationKind::kNop:
      return stats.completed;
    case OperationKind::kRead:
      return stats.read;
    case OperationKind::kReadFixed:
      return stats.read_fixed;
  }
  return 0;
}

bool CApiRing::SetError(mooring_error_t* error) {
  error_ = Take(error);
  return false;
}

}  // namespace mooring::benchmarks
