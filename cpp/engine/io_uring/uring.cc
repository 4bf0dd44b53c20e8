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

// Grows before a ring's memory is given back, and is read when one has got its own, which may be
// the same addresses. The kernel orders the two in fact; this tells the thread sanitizer, which
// does not see liburing's own system calls.
std::atomic<uint64_t> rings_closed{0};

}  // namespace

int Uring::Create(const UringCalls& calls, const io_uring_params& params, uint32_t entries) {
  io_uring_params answer = params;
  const int fd = calls.io_uring_setup(entries, &answer);
  if (fd < 0) return fd;
  // It closes nothing when it fails, and it fails as mmap(2) does.
  if (const int error = io_uring_queue_mmap(fd, &answer, &ring_); error < 0) {
    close(fd);
    ring_.ring_fd = -1;
    return error;
  }
  rings_closed.load(std::memory_order_acquire);
  calls_ = &calls;
  params_ = answer;
  maker_ = CurrentProcess();
  memlock_exempt_ = ReadMemlockLimits().exempt;
  memlock_bytes_ = !memlock_exempt_ && KernelChargesRings() ? ChargedBytes(answer) : 0;
  MemlockLedger::Charge(memlock_bytes_);
  // Kernels without MADV_DONTFORK do not exist; a failure would only leave the child with mappings
  // it does not use.
  (void)io_uring_ring_dontfork(&ring_);
  return 0;
}

void Uring::Close() {
  if (!valid()) return;
  if (CurrentProcess() == maker_) {
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
  std::swap(maker_, other.maker_);
  std::swap(memlock_bytes_, other.memlock_bytes_);
  std::swap(memlock_exempt_, other.memlock_exempt_);
}

// No call tells. Each change came together with something that shows, which says more than a
// release does where features are carried backwards: NATIVE_WORKERS came with 5.12, which stopped
// charging, and RW_ATTR with 6.14, which began again. 7.3 charges none (measured; up to 7.0 they
// are), and has EINVAL for a buffer of more than 1 TiB, where the others have EFAULT for one of
// more than 1 GiB.
bool Uring::KernelChargesRings() const {
  if (!HasFeature(IORING_FEAT_NATIVE_WORKERS)) return true;
  if (!HasFeature(IORING_FEAT_RW_ATTR)) return false;
  // Refused for its size; never mapped, so that a kernel which thinks nothing of the size pins
  // nothing.
  const iovec too_large = {.iov_base = reinterpret_cast<void*>(4096), .iov_len = size_t{1} << 41};
  return Register(IORING_REGISTER_BUFFERS, &too_large, 1) != -EINVAL;
}

// Two ranges, each of whole pages: the rings with the array of indexes at their end, and the
// submission entries (measured: 8 KiB for 8 to 64 entries, 28 KiB for 256, 104 KiB for 1024). Up to
// 5.11 each was a power of two pages.
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
