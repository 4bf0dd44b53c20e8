// c_api_ring.h: batches of operations through libmooring.so, as a user of the C interface writes
// them.
//
// CApiRing owns a slab of 4 KiB buffers, a lease on each buffer, a ring and a registration. A batch
// fills all fields of its operations, submits and reaps them in one call, and checks each
// completion: result, path and bytes.
//
// Threading: one thread.
#ifndef MOORING_BENCHMARKS_MICRO_C_API_RING_H_
#define MOORING_BENCHMARKS_MICRO_C_API_RING_H_

#include <mooring/mooring.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "benchmarks/micro/operation_kind.h"
#include "benchmarks/micro/sample_file.h"

namespace mooring::benchmarks {

// How an operation names its memory.
enum class Naming {
  kLease,  // by a lease, which the library holds until the completion
  kSlab,   // by an offset in the slab
};

class CApiRing {
 public:
  // Null, with a text in `*error`, where the machine has no io_uring or no fixed buffers.
  static std::unique_ptr<CApiRing> Create(bool owner_thread, std::string* error);
  ~CApiRing();
  CApiRing(const CApiRing&) = delete;
  CApiRing& operator=(const CApiRing&) = delete;

  const mooring_ring_info_t& info() const { return info_; }
  std::byte* data() const { return data_; }
  std::byte* buffer(uint64_t index) const { return data_ + index * kBlockBytes; }

  // Runs operations first, first + 1, ... first + depth - 1. False if a completion is wrong.
  template <OperationKind kind, Naming naming>
  bool RunBatch(uint64_t first, uint32_t depth) {
    for (uint32_t i = 0; i < depth; ++i) Fill<kind, naming>(first + i, i);
    uint32_t accepted = 0;
    uint32_t count = 0;
    mooring_error_t* error =
        mooring_ring_submit_and_reap(ring_, operations_.data(), depth, &accepted,
                                     completions_.data(), depth, depth, INT64_MAX, &count);
    if (error != nullptr) [[unlikely]]
      return SetError(error);
    bool good = count == depth;
    for (uint32_t i = 0; i < count; ++i) good &= IsRight<kind>(completions_[i], first, depth);
    return good;
  }

  // The ring's counter since its creation: of reads on the path of `kind`, or for kNop of all
  // completions.
  uint64_t CountOf(OperationKind kind) const;

  // The error of a failed batch.
  const std::string& error() const { return error_; }

 private:
  CApiRing() = default;

  mooring_error_t* Open(bool owner_thread);

  template <OperationKind kind, Naming naming>
  void Fill(uint64_t number, uint32_t index) {
    mooring_op_t& operation = operations_[index];
    operation = {};
    operation.user_data = number;
    if constexpr (kind != OperationKind::kNop) {
      operation.opcode = MOORING_OPCODE_READ;
      operation.fd = fd_;
      operation.file_offset = SampleFile::BlockOf(number) * kBlockBytes;
      operation.size = kBlockBytes;
    }
    if constexpr (kind == OperationKind::kReadFixed) {
      operation.registration = registration_;
      if constexpr (naming == Naming::kLease) {
        operation.lease_first_index = leases_[index].first_index;
        operation.lease_generation = leases_[index].generation;
      } else {
        operation.offset = index * kBlockBytes;
      }
    } else if constexpr (kind == OperationKind::kRead) {
      operation.offset = reinterpret_cast<uintptr_t>(buffer(index));
    }
  }

  template <OperationKind kind>
  bool IsRight(const mooring_completion_t& completion, uint64_t first, uint32_t depth) const {
    const uint64_t index = completion.user_data - first;
    if constexpr (kind == OperationKind::kNop) {
      return index < depth && completion.result == 0 && completion.path == MOORING_PATH_NONE;
    }
    const auto path = kind == OperationKind::kReadFixed ? MOORING_PATH_FIXED : MOORING_PATH_COPY;
    return index < depth && completion.result == int64_t{kBlockBytes} && completion.path == path &&
           SampleFile::StartsBlock(SampleFile::BlockOf(completion.user_data), buffer(index));
  }

  bool SetError(mooring_error_t* error);

  mooring_slab_t* slab_ = nullptr;
  mooring_ring_t* ring_ = nullptr;
  mooring_registration_t* registration_ = nullptr;
  mooring_ring_info_t info_ = {};
  std::byte* data_ = nullptr;
  int fd_ = -1;
  std::array<mooring_lease_t, kDepthMax> leases_{};
  std::array<mooring_op_t, kDepthMax> operations_{};
  std::array<mooring_completion_t, kDepthMax> completions_{};
  std::string error_;
};

}  // namespace mooring::benchmarks

#endif  // MOORING_BENCHMARKS_MICRO_C_API_RING_H_
