// ZeroCopyHints: records on which sockets the kernel copied the bytes of zero-copy sends. The
// kernel does so if the device cannot send from many pages, and always on the loopback device,
// where it costs more than a plain send. Such a socket gets plain sends for a while, then one
// zero-copy try.
//
// A hint is kept per descriptor modulo 256, so descriptors can share one, and it can outlive its
// socket. A wrong hint only costs speed.
//
// Threading: ShouldTry is called on the submission side, OnCopied on the completion side, also at
// the same time.
#ifndef MOORING_CPP_RING_ZERO_COPY_HINTS_H_
#define MOORING_CPP_RING_ZERO_COPY_HINTS_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace mooring {

class ZeroCopyHints {
 public:
  // The least size for which zero-copy is faster: docs/decisions/0006.
  static constexpr uint64_t kSendBytesMin = 48 * 1024;
  // Number of plain sends after a zero-copy send that was copied.
  static constexpr uint32_t kPlainSends = 255;

  bool ShouldTry(int fd) {
    std::atomic<uint32_t>& plain = plain_left_[IndexOf(fd)];
    const uint32_t left = plain.load(std::memory_order_relaxed);
    if (left == 0) return true;
    // If OnCopied stores at the same time, one of the two values is lost, which does no harm.
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
