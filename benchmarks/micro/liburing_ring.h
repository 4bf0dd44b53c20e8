// liburing_ring.h: the batches of c_api_ring.h with liburing only, for comparison.
//
// The ring has the setup flags and the sizes of the Mooring ring that it is compared with, and
// reads into the same memory. All calls of liburing are inline, without a library between.
//
// Threading: only the thread that made it.
#ifndef MOORING_BENCHMARKS_MICRO_LIBURING_RING_H_
#define MOORING_BENCHMARKS_MICRO_LIBURING_RING_H_

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "benchmarks/micro/operation_kind.h"
#include "benchmarks/micro/sample_file.h"

namespace mooring::benchmarks {

class LiburingRing {
 public:
  struct Options {
    uint32_t setup_flags = 0;  // IORING_SETUP_*
    uint32_t submission_count = 0;
    uint32_t completion_count = 0;
    std::byte* data = nullptr;  // kDepthMax buffers of kBlockBytes, registered as one
    // Also register the ring's descriptor, which saves the kernel a look-up for each system call.
    bool registered_ring = false;
  };

  // 0, or the negative errno of the kernel.
  static int Create(const Options& options, std::unique_ptr<LiburingRing>* out_ring);
  ~LiburingRing();
  LiburingRing(const LiburingRing&) = delete;
  LiburingRing& operator=(const LiburingRing&) = delete;

  // Runs operations first, first + 1, ... first + depth - 1. False if a completion is wrong.
  template <OperationKind kind>
  bool RunBatch(uint64_t first, uint32_t depth) {
    for (uint32_t i = 0; i < depth; ++i) {
      io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
      if (sqe == nullptr) [[unlikely]]
        return false;
      Fill<kind>(sqe, first + i, i);
    }
    if (io_uring_submit_and_wait(&ring_, depth) != static_cast<int>(depth)) [[unlikely]] {
      return false;
    }
    bool good = true;
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      good &= IsRight<kind>(*cqe, first, depth);
      ++count;
    }
    io_uring_cq_advance(&ring_, count);
    return good && count == depth;
  }

 private:
  LiburingRing() = default;

  int Open(const Options& options);

  std::byte* buffer(uint64_t index) const { return data_ + index * kBlockBytes; }

  template <OperationKind kind>
  void Fill(io_uring_sqe* sqe, uint64_t number, uint32_t index) const {
    const uint64_t offset = SampleFile::BlockOf(number) * kBlockBytes;
    if constexpr (kind == OperationKind::kNop) {
      io_uring_prep_nop(sqe);
    } else if constexpr (kind == OperationKind::kRead) {
      io_uring_prep_read(sqe, fd_, buffer(index), kBlockBytes, offset);
    } else {
      io_uring_prep_read_fixed(sqe, fd_, buffer(index), kBlockBytes, offset, 0);
    }
    io_uring_sqe_set_data64(sqe, number);
  }

  template <OperationKind kind>
  bool IsRight(const io_uring_cqe& cqe, uint64_t first, uint32_t depth) const {
    const uint64_t index = cqe.user_data - first;
    if constexpr (kind == OperationKind::kNop) return index < depth && cqe.res == 0;
    return index < depth && cqe.res == int{kBlockBytes} &&
           SampleFile::StartsBlock(SampleFile::BlockOf(cqe.user_data), buffer(index));
  }

  io_uring ring_ = {};
  bool is_open_ = false;
  std::byte* data_ = nullptr;
  int fd_ = -1;
  std::vector<unsigned> unread_array_;  // for NO_SQARRAY: see liburing_ring.cc
};

}  // namespace mooring::benchmarks

#endif  // MOORING_BENCHMARKS_MICRO_LIBURING_RING_H_
