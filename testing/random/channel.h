// channel.h: a stream of pattern bytes between two descriptors: a pipe, AF_UNIX or TCP sockets.
//
// One operation sends at a time and one receives, so that the place in the stream of the bytes that
// each moves is known, also after a cancellation: what was not reported as moved must come later.
//
// Threading: `sending` and `receiving` are set by the submitter and cleared by the reaper, each of
// which reads the numbers beside them only while they are its own.
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

  // Takes what has arrived, by hand and without waiting, and checks it. No receive is in flight.
  void Drain();
  // Takes it without a look, for whoever waits until the kernel is done with what was sent.
  void Discard();
  // Both ends, for the descriptors to outlive a ring whose operations use them.
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
