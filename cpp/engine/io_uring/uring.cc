#include "cpp/engine/io_uring/uring.h"

#include <unistd.h>

#include <atomic>
#include <utility>

#include "cpp/base/checked.h"
#include "cpp/os/memlock.h"
#include "cpp/os/memlock_ledger.h"

namespace mooring {
namespace {

uint64_t WholePages(uint64_t bytes) {
  static const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

// Incremented before a ring's memory is unmapped, and loaded after a ring has been mapped, possibly
// at the same addresses. The kernel orders the two. This pair shows the order to the thread
// sanitizer, which does not see liburing's system calls.
std::atomic<uint64_t> rings_closed{0};

}  // namespace

int Uring::Create(const UringCalls& calls, const io_uring_params& params, uint32_t entries) {
  io_uring_params actual = params;
  const int fd = calls.io_uring_setup(entries, &actual);
  if (fd < 0) return fd;
  // On failure it returns the negative errno of mmap(2) and does not close `fd`.
  if (const int result = io_uring_queue_mmap(fd, &actual, &ring_); result < 0) {
    close(fd);
    ring_.ring_fd = -1;
    return result;
  }
  rings_closed.load(std::memory_order_acquire);
  calls_ = &calls;
  params_ = actual;
  creator_ = CurrentProcess();
  memlock_exempt_ = ReadMemlockLimits().exempt;
  memlock_bytes_ = !memlock_exempt_ && KernelChargesRings() ? ChargedBytes(actual) : 0;
  MemlockLedger::Charge(memlock_bytes_);
  // All kernels have MADV_DONTFORK. A failure would only leave unused mappings in the child.
  (void)io_uring_ring_dontfork(&ring_);
  return 0;
}

void Uring::Close() {
  if (!valid()) return;
  if (CurrentProcess() == creator_) {
    rings_closed.fetch_add(1, std::memory_order_release);
    io_uring_queue_exit(&ring_);
    MemlockLedger::Release(memlock_bytes_);
  } else {
    close(ring_.ring_fd);
  }
  ring_ = {.ring_fd = -1};
  memlock_bytes_ = 0;
}

void Uring::Swap(Uring& other) {
  std::swap(ring_, other.ring_);
  std::swap(params_, other.params_);
  std::swap(calls_, other.calls_);
  std::swap(creator_, other.creator_);
  std::swap(memlock_bytes_, other.memlock_bytes_);
  std::swap(memlock_exempt_, other.memlock_exempt_);
}

// No system call reports it. Each change came in the same release as something visible, which is a
// better sign than the release number where distributions backport features:
// - 5.12 stopped charging, and added NATIVE_WORKERS.
// - 6.14 started again, and added RW_ATTR.
// - 7.3 does not charge (measured; 7.0 does), and returns EINVAL for a buffer of more than 1 TiB.
//   Kernels before it return EFAULT for a buffer of more than 1 GiB.
bool Uring::KernelChargesRings() const {
  if (!HasFeature(IORING_FEAT_NATIVE_WORKERS)) return true;
  if (!HasFeature(IORING_FEAT_RW_ATTR)) return false;
  // Rejected for its size. The address is not mapped, so a kernel that accepts the size pins
  // nothing.
  const iovec too_large = {.iov_base = reinterpret_cast<void*>(4096), .iov_len = size_t{1} << 41};
  return Register(IORING_REGISTER_BUFFERS, &too_large, 1) != -EINVAL;
}

// Two ranges of whole pages: the two rings with the array of indexes at their end, and the
// submission entries (measured: 8 KiB for 8 to 64 entries, 28 KiB for 256, 104 KiB for 1024). Up to
// 5.11 the size of each range in pages is a power of two.
uint64_t Uring::ChargedBytes(const io_uring_params& params) {
  uint64_t rings = params.cq_off.cqes + uint64_t{params.cq_entries} * sizeof(io_uring_cqe);
  if ((params.flags & IORING_SETUP_NO_SQARRAY) == 0) {
    rings = params.sq_off.array + uint64_t{params.sq_entries} * sizeof(uint32_t);
  }
  uint64_t entries = uint64_t{params.sq_entries} * sizeof(io_uring_sqe);
  rings = WholePages(rings);
  entries = WholePages(entries);
  if ((params.features & IORING_FEAT_NATIVE_WORKERS) == 0) {
    rings = RoundUpToPowerOfTwo(static_cast<uint32_t>(rings));
    entries = RoundUpToPowerOfTwo(static_cast<uint32_t>(entries));
  }
  return rings + entries;
}

}  // namespace mooring
