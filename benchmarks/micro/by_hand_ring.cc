#include "benchmarks/micro/by_hand_ring.h"

#include <sys/uio.h>

namespace mooring::benchmarks {
namespace {

// Linux 6.6; liburing knows it from 2.5 on.
#ifdef IORING_SETUP_NO_SQARRAY
constexpr bool kLibraryKnowsNoArray = true;
constexpr uint32_t kNoArray = IORING_SETUP_NO_SQARRAY;
#else
constexpr bool kLibraryKnowsNoArray = false;
constexpr uint32_t kNoArray = 1u << 16;
#endif

}  // namespace

std::unique_ptr<ByHandRing> ByHandRing::Create(const Options& options, int* error) {
  std::unique_ptr<ByHandRing> made(new ByHandRing);
  *error = made->Open(options);
  return *error == 0 ? std::move(made) : nullptr;
}

int ByHandRing::Open(const Options& options) {
  io_uring_params params = {};
  params.flags = options.setup_flags;
  params.cq_entries = options.completion_count;
  int result = io_uring_queue_init_params(options.submission_count, &ring_, &params);
  if (result != 0) return -result;
  is_open_ = true;
  if (!kLibraryKnowsNoArray && (options.setup_flags & kNoArray) != 0) {
    // An older liburing writes the indices all the same, over the queue's head since the kernel
    // gives no place for them. A place that nobody reads lets both sides have the same flags.
    unused_array_.resize(params.sq_entries);
    ring_.sq.array = unused_array_.data();
  }
  if (options.registered_ring) {
    result = io_uring_register_ring_fd(&ring_);
    if (result != 1) return result < 0 ? -result : EINVAL;
  }
  const iovec memory = {options.data, kDepthMax * kBlockBytes};
  result = io_uring_register_buffers(&ring_, &memory, 1);
  if (result != 0) return -result;
  data_ = options.data;
  fd_ = SampleFile::Get().fd();
  return 0;
}

ByHandRing::~ByHandRing() {
  if (is_open_) io_uring_queue_exit(&ring_);
}

}  // namespace mooring::benchmarks
