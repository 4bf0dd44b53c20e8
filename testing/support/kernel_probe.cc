#include "testing/support/kernel_probe.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

#include "testing/support/files.h"

namespace mooring::conformance {
namespace {

constexpr unsigned kEntries = 8;
constexpr uint64_t kPage = 4096;

Fd SetUpRing(uint32_t setup_flags) {
  io_uring_params params{};
  params.flags = setup_flags;
  return Fd(static_cast<int>(syscall(SYS_io_uring_setup, kEntries, &params)));
}

// The kernel returns the budget immediately after unregistering, and late after a ring is closed
// (measured on 5.10 to 7.0).
int PinOnce(int ring, void* data, uint64_t size) {
  iovec range{.iov_base = data, .iov_len = size};
  if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &range, 1) != 0) return errno;
  syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS, nullptr, 0);
  return 0;
}

bool PinsUnder(int ring, void* page, uint64_t soft_bytes, rlim_t hard) {
  const rlimit limit{.rlim_cur = soft_bytes, .rlim_max = hard};
  return setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && PinOnce(ring, page, kPage) == 0;
}

}  // namespace

int ProbeRing(uint32_t setup_flags) {
  const Fd ring = SetUpRing(setup_flags);
  return ring.get() < 0 ? errno : 0;
}

int ProbePin(void* data, uint64_t size) {
  const Fd ring = SetUpRing(0);
  return ring.get() < 0 ? errno : PinOnce(ring.get(), data, size);
}

int ProbePin(uint64_t size) {
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return errno;
  const int error = ProbePin(data, size);
  munmap(data, size);
  return error;
}

int ProbeRegistration(int opcode) {
  constexpr int kNoRing = -2;  // -1 has a meaning from 6.13 on
  return syscall(SYS_io_uring_register, kNoRing, opcode, nullptr, 0) == 0 ? 0 : errno;
}

uint64_t SmallestWorkingMemlock() {
  rlimit before{};
  getrlimit(RLIMIT_MEMLOCK, &before);
  rlimit widest = before;
  widest.rlim_cur = widest.rlim_max;
  setrlimit(RLIMIT_MEMLOCK, &widest);

  // Not a static array: up to 6.4 the kernel rejects ranges that are contiguous with file-backed
  // ones.
  void* page = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return UINT64_MAX;
  constexpr uint64_t kCeiling = uint64_t{1} << 40;
  uint64_t works = before.rlim_max == RLIM_INFINITY ? kCeiling : before.rlim_max;
  const Fd ring = SetUpRing(0);
  if (ring.get() < 0 || !PinsUnder(ring.get(), page, works, before.rlim_max)) {
    works = UINT64_MAX;
  } else {
    uint64_t fails = 0;
    while (works - fails > kPage) {
      const uint64_t middle = fails + (works - fails) / 2;
      (PinsUnder(ring.get(), page, middle, before.rlim_max) ? works : fails) = middle;
    }
  }
  setrlimit(RLIMIT_MEMLOCK, &before);
  munmap(page, kPage);
  return works;
}

bool HasUserfaultfd() {
  const Fd fd(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC)));
  uffdio_api api{};
  api.api = UFFD_API;
  return fd.get() >= 0 && ioctl(fd.get(), UFFDIO_API, &api) == 0;
}

}  // namespace mooring::conformance
