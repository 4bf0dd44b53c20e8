#include "benchmarks/micro/liburing_ring.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace mooring::benchmarks {
namespace {

#ifdef IORING_SETUP_NO_SQARRAY

int Initialize(unsigned entries, io_uring* ring, io_uring_params* params, std::vector<unsigned>*) {
  return io_uring_queue_init_params(entries, ring, params);
}

#else

// liburing before 2.5 does not know this flag (Linux 6.6). It would still write the array of
// indices, over the queue's head, because the kernel returns no offset for the array. So the ring
// is made without io_uring_queue_init, with an array in other memory, which the kernel does not
// read.
constexpr uint32_t kNoArray = 1u << 16;

int Initialize(unsigned entries, io_uring* ring, io_uring_params* params,
               std::vector<unsigned>* unread) {
  if ((params->flags & kNoArray) == 0) return io_uring_queue_init_params(entries, ring, params);
  const auto fd = static_cast<int>(syscall(__NR_io_uring_setup, entries, params));
  if (fd < 0) return -errno;
  const int result = io_uring_queue_mmap(fd, params, ring);
  if (result != 0) {
    close(fd);
    return result;
  }
  ring->features = params->features;
  unread->resize(params->sq_entries);
  ring->sq.array = unread->data();
  return 0;
}

#endif

}  // namespace

int LiburingRing::Create(const Options& options, std::unique_ptr<LiburingRing>* out_ring) {
  std::unique_ptr<LiburingRing> made(new LiburingRing);
  const int result = made->Open(options);
  if (result == 0) *out_ring = std::move(made);
  return result;
}

int LiburingRing::Open(const Options& options) {
  io_uring_params params = {};
  params.flags = options.setup_flags;
  params.cq_entries = options.completion_count;
  int result = Initialize(options.submission_count, &ring_, &params, &unread_array_);
  if (result != 0) return result;
  is_open_ = true;
  if (options.registered_ring) {
    result = io_uring_register_ring_fd(&ring_);
    if (result != 1) return result < 0 ? result : -EINVAL;
  }
  const iovec memory = {options.data, kDepthMax * kBlockBytes};
  result = io_uring_register_buffers(&ring_, &memory, 1);
  if (result != 0) return result;
  data_ = options.data;
  fd_ = SampleFile::Get().fd();
  return 0;
}

LiburingRing::~LiburingRing() {
  if (is_open_) io_uring_queue_exit(&ring_);
}

}  // namespace mooring::benchmarks
