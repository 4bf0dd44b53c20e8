#include "tools/moor/direct_policy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "tools/moor/descriptor.h"

namespace moor {
namespace {

// statx(2) of Linux 6.1. The headers of the libc may be older. The struct has always had 256 bytes;
// older kernels leave the tail zero and the mask bit clear.
constexpr uint32_t kStatxDirectAlignment = 0x2000;  // STATX_DIOALIGN
constexpr size_t kStatxMaskOffset = 0;
constexpr size_t kStatxMemoryAlignmentOffset = 0x98;
constexpr size_t kStatxOffsetAlignmentOffset = 0x9c;
constexpr size_t kStatxBytes = 256;

// cachestat(2), Linux 6.5.
constexpr long kCachestatNumber = 451;
struct CachestatRange {
  uint64_t offset;
  uint64_t size;
};
struct Cachestat {
  uint64_t cached_pages;
  uint64_t dirty_pages;
  uint64_t writeback_pages;
  uint64_t evicted_pages;
  uint64_t recently_evicted_pages;
};

constexpr int kSampleCount = 64;

uint32_t Field(const std::array<char, kStatxBytes>& bytes, size_t offset) {
  uint32_t value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Reads single bytes at regular offsets without waiting. EAGAIN means that the byte is not cached
// (preadv2(2), RWF_NOWAIT, Linux 4.14).
bool AreSamplesCached(int fd, uint64_t size) {
  // A separate descriptor with POSIX_FADV_RANDOM: the samples must not start readahead.
  const Descriptor probe(
      ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
  if (!probe) {
    return true;
  }
  ::posix_fadvise(probe.get(), 0, 0, POSIX_FADV_RANDOM);
  int cached = 0;
  for (int sample = 0; sample < kSampleCount; ++sample) {
    char byte;
    const iovec range = {.iov_base = &byte, .iov_len = 1};
    const uint64_t offset = size / kSampleCount * static_cast<uint64_t>(sample);
    if (::preadv2(probe.get(), &range, 1, static_cast<off_t>(offset), RWF_NOWAIT) == 1) {
      ++cached;
    } else if (errno != EAGAIN) {
      return true;
    }
  }
  return cached * 2 >= kSampleCount;
}

}  // namespace

const char* DirectReasonName(DirectReason reason) {
  switch (reason) {
    case DirectReason::kNone:
      return "none";
    case DirectReason::kPolicy:
      return "policy";
    case DirectReason::kNotRegular:
      return "not_regular";
    case DirectReason::kEmpty:
      return "empty";
    case DirectReason::kSmallFile:
      return "small_file";
    case DirectReason::kCached:
      return "cached";
    case DirectReason::kNotSupported:
      return "not_supported";
    case DirectReason::kNotAligned:
      return "not_aligned";
    case DirectReason::kRefused:
      return "refused";
  }
  return "unknown";
}

std::optional<DirectAlignment> FindDirectAlignment(int fd) {
  alignas(8) std::array<char, kStatxBytes> status = {};
  if (::syscall(SYS_statx, fd, "", AT_EMPTY_PATH, kStatxDirectAlignment, status.data()) == 0 &&
      (Field(status, kStatxMaskOffset) & kStatxDirectAlignment) != 0) {
    const DirectAlignment alignment = {.memory = Field(status, kStatxMemoryAlignmentOffset),
                                       .offset = Field(status, kStatxOffsetAlignmentOffset)};
    // Both are zero if the file does not support direct I/O (open(2)).
    if (alignment.memory == 0 || alignment.offset == 0) {
      return std::nullopt;
    }
    return alignment;
  }
  // The kernel or the filesystem does not report the alignment. Try to open the file with O_DIRECT;
  // an alignment of 4096 bytes is sufficient for every block size in use.
  const Descriptor trial(
      ::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (!trial) {
    return std::nullopt;
  }
  return DirectAlignment{.memory = 4096, .offset = 4096};
}

bool IsMostlyCached(int fd, uint64_t size) {
  const CachestatRange range = {.offset = 0, .size = size};
  Cachestat counts = {};
  if (::syscall(kCachestatNumber, fd, &range, &counts, 0) == 0) {
    const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    return counts.cached_pages * page_bytes >= size / 2;
  }
  return AreSamplesCached(fd, size);
}

}  // namespace moor
