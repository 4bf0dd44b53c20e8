// channel.h: a stream of pattern bytes between two descriptors: a pipe, AF_UNIX or TCP sockets.
//
// At most one operation sends and one receives at a time, so the stream position of their bytes is
// known, also after a cancellation: bytes that were not reported must arrive later.
//
// Threading: `sending` and `receiving` are set by the submitter and cleared by the reaper. The
// submitter reads `sent` and `received` while they are clear, the reaper while they are set.
#ifndef MOORING_TESTING_RANDOM_CHANNEL_H_
#define MOORING_TESTING_RANDOM_CHANNEL_H_

#include <atomic>
#include <cstdint>
#include <vector>

#include "testing/support/files.h"

namespace mooring::workload {

enum class ChannelKind { kPipe, kUnix, kTcp };
inline constexpr ChannelKind kChannelKinds[] = {ChannelKind::kPipe, ChannelKind::kUnix,
                                                ChannelKind::kTcp};

class Channel {
 public:
  Channel(ChannelKind kind, uint64_t seed);

  ChannelKind kind() const { return kind_; }
  uint64_t seed() const { return seed_; }
  int sender() const { return sender_.get(); }
  int receiver() const { return receiver_.get(); }

  std::atomic<bool> sending = false;
  std::atomic<bool> receiving = false;
  uint64_t sent = 0;
  uint64_t received = 0;

  // Reads the bytes that have arrived, without waiting, and checks them. No receive is in flight.
  void Drain();
  // Reads the bytes without a check, so that the kernel can complete its sends.
  void Discard();
  // Moves both ends to `out`, so that they outlive a ring whose operations use them.
  void TakeDescriptors(std::vector<conformance::Fd>& out);

 private:
  int64_t ReceiveNow(void* data, uint64_t size) const;

  const ChannelKind kind_;
  const uint64_t seed_;
  conformance::Fd sender_;
  conformance::Fd receiver_;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_CHANNEL_H_
