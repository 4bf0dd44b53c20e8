// ZeroCopyHints: which sockets' zero-copy sends the kernel has copied after all: it does so where
// the device cannot send from many pages, and always on the loopback device, where that costs more
// than a plain send. Such a socket gets plain sends for a while, then one try.
//
// By descriptor, and with others of the same remainder. A hint may be of a socket that is gone, and
// costs some speed then, nothing else.
//
// Threading: ShouldTry belongs to the submission side, OnCopied to the completion side; both may
// run at once.
#ifndef MOORING_CPP_RING_ZERO_COPY_HINTS_H_
#define MOORING_CPP_RING_ZERO_COPY_HINTS_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace mooring {

class ZeroCopyHints {
 public:
  // From here on it pays: docs/decisions/0006.
  static constexpr uint64_t kSendBytesMin = 48 * 1024;
  // Plain sends after one that was copied.
  static constexpr uint32_t kPlainSends = 255;

  bool ShouldTry(int fd) {
    std::atomic<uint32_t>& plain = plain_left_[IndexOf(fd)];
    const uint32_t left = plain.load(std::memory_order_relaxed);
    if (left == 0) return true;
    // What the other side stores in between is lost, or this is: either will do.
    plain.store(left - 1, std::memory_order_relaxed);
    return false;
  }

  void OnCopied(int fd) { plain_left_[IndexOf(fd)].store(kPlainSends, std::memory_order_relaxed); }

 private:
  static size_t IndexOf(int fd) { return static_cast<uint32_t>(fd) % 256; }

  std::array<std::atomic<uint32_t>, 256> plain_left_ = {};
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_ZERO_COPY_HINTS_H_
