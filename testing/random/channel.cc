#include "testing/random/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "testing/random/invariant.h"
#include "testing/support/pattern.h"
#include "testing/support/sockets.h"

namespace mooring::workload {

Channel::Channel(ChannelKind kind, uint64_t seed) : kind_(kind), seed_(seed) {
  if (kind == ChannelKind::kPipe) {
    int ends[2] = {-1, -1};
    INVARIANT(pipe2(ends, O_CLOEXEC) == 0, "no pipe");
    receiver_ = conformance::Fd(ends[0]);
    sender_ = conformance::Fd(ends[1]);
    return;
  }
  conformance::SocketPair pair = conformance::StreamPair(
      kind == ChannelKind::kUnix ? conformance::Family::kUnix : conformance::Family::kTcp);
  sender_ = std::move(pair.one);
  receiver_ = std::move(pair.other);
}

int64_t Channel::ReceiveNow(void* data, uint64_t size) const {
  if (kind_ != ChannelKind::kPipe) return recv(receiver(), data, size, MSG_DONTWAIT);
  pollfd waiting{.fd = receiver(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) == 1 ? read(receiver(), data, size) : -1;
}

void Channel::Drain() {
  std::array<std::byte, 8192> bytes;
  for (int64_t count; (count = ReceiveNow(bytes.data(), bytes.size())) > 0;) {
    const auto verdict =
        conformance::HasPattern(bytes.data(), seed_, received, static_cast<uint64_t>(count));
    INVARIANT(verdict, "%s", verdict.message());
    received += static_cast<uint64_t>(count);
  }
}

void Channel::Discard() {
  std::array<std::byte, 8192> bytes;
  while (ReceiveNow(bytes.data(), bytes.size()) > 0) continue;
}

void Channel::TakeDescriptors(std::vector<conformance::Fd>& out) {
  out.push_back(std::move(sender_));
  out.push_back(std::move(receiver_));
}

}  // namespace mooring::workload
