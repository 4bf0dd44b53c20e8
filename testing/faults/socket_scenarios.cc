// Sockets: bytes sent and received, connections made, zero-copy sends.

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "testing/faults/scenario.h"
#include "testing/support/eventually.h"
#include "testing/support/pattern.h"
#include "testing/support/sockets.h"

namespace mooring::faults {
namespace {

using conformance::Fd;
using conformance::InSlab;
using conformance::Recv;
using conformance::Send;
using conformance::SocketPair;

constexpr uint64_t kSeed = 43;
constexpr uint64_t kBufferBytes = Trial::kBufferBytes;

struct Setting {
  Slab slab;
  Ring ring;
  Registration registration;

  explicit Setting(Trial& trial) : slab(trial.CreateSlab()) {
    if (slab != nullptr) ring = trial.CreateRing();
    if (ring != nullptr) registration = trial.Register(ring, slab);
    if (registration != nullptr)
      conformance::FillPattern(Trial::Data(slab), kSeed, 0, kBufferBytes);
  }
  bool complete() const { return registration != nullptr; }
  conformance::Place At(uint64_t offset) const { return InSlab(registration.get(), offset); }
};

bool Holds(const void* data, int64_t size) {
  return static_cast<bool>(conformance::HasPattern(data, kSeed, 0, static_cast<uint64_t>(size)));
}

// Exactly the bytes that the send reports arrive at the other end.
void Messages(Trial& trial) {
  SocketPair pair = conformance::UnixPair();
  const Setting setting(trial);
  if (!setting.complete()) return;
  Results received = trial.Begin(
      setting.ring, {Recv(pair.other.get(), setting.At(kBufferBytes), kBufferBytes, MSG_WAITALL)});
  const Results sent =
      trial.Perform(setting.ring, {Send(pair.one.get(), setting.At(0), kBufferBytes, MSG_WAITALL)});
  trial.ExpectDone("a send", sent[0], kBufferBytes);
  // Ends a receive that still waits for bytes that were not sent.
  trial.Perform(setting.ring, {conformance::Shutdown(pair.one.get(), SHUT_WR)});
  shutdown(pair.one.get(), SHUT_WR);
  trial.Await(setting.ring, &received);
  if (sent[0].ok()) trial.ExpectDone("a receive", received[0], sent[0].result());
  if (received[0].ok()) {
    trial.Expect(Holds(Trial::Data(setting.slab, kBufferBytes), received[0].result()),
                 "the received bytes are the bytes sent");
    trial.Expect(!sent[0].ok() || received[0].result() <= sent[0].result(),
                 "no more bytes are received than sent");
  }
  trial.ExpectIdle(setting.ring);
}

// Messages of segments whose order in memory differs from their order in the message.
void Segments(Trial& trial) {
  constexpr uint64_t kHalf = kBufferBytes / 2;
  SocketPair pair = conformance::UnixPair();
  const Setting setting(trial);
  if (!setting.complete()) return;
  std::byte* const data = Trial::Data(setting.slab);
  std::swap_ranges(data, data + kHalf, data + kHalf);
  const std::vector<mooring_segment_t> from = {{0, 0, kHalf, kHalf}, {0, 0, 0, kHalf}};
  const std::vector<mooring_segment_t> to = {{0, 0, kBufferBytes, 100},
                                             {0, 0, kBufferBytes + 100, kBufferBytes - 100}};
  mooring_registration_t* const registration = setting.registration.get();
  Results received = trial.Begin(
      setting.ring, {conformance::RecvMsg(pair.other.get(), registration, to, MSG_WAITALL)});
  const Results sent = trial.Perform(
      setting.ring, {conformance::SendMsg(pair.one.get(), registration, from, MSG_WAITALL)});
  trial.ExpectDone("a send", sent[0], kBufferBytes);
  shutdown(pair.one.get(), SHUT_WR);
  trial.Await(setting.ring, &received);
  if (sent[0].ok()) trial.ExpectDone("a receive", received[0], sent[0].result());
  if (received[0].ok()) {
    trial.Expect(Holds(Trial::Data(setting.slab, kBufferBytes), received[0].result()),
                 "the received bytes are the bytes sent");
  }
  trial.ExpectIdle(setting.ring);
}

void Connections(Trial& trial) {
  const conformance::TcpListener listener;
  const Fd socket = conformance::TcpSocket();
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  Results accepted = trial.Begin(ring, {conformance::Accept(listener.fd())});
  const Results connected = trial.Perform(
      ring, {conformance::Connect(socket.get(), &listener.address(), sizeof(sockaddr_in))});
  trial.ExpectDone("a connect", connected[0], 0);
  if (connected[0].ok()) {
    trial.Await(ring, &accepted);
  } else {
    trial.CancelAndAwait(ring, &accepted);
  }
  if (accepted[0].ok()) {
    const Fd other(static_cast<int>(accepted[0].result()));
    trial.Expect(conformance::DescriptorsOf(other.get()) == 1, "the connection has one descriptor");
  } else {
    trial.ExpectDone("an accept", accepted[0], INT64_MAX);
  }
  trial.ExpectIdle(ring);
}

// All messages arrive with their boundaries, and then the end of the stream.
void MultishotReceive(Trial& trial, uint32_t provided_buffer_count) {
  constexpr uint32_t kMessages = 6;  // more than there are buffers
  SocketPair pair = conformance::UnixPair(SOCK_SEQPACKET);
  const Slab slab = trial.CreateSlab();
  if (slab == nullptr) return;
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  {
    const Registration registration =
        trial.Register(ring, slab, MOORING_POLICY_PREFER, provided_buffer_count);
    if (registration == nullptr) return;
    Results results =
        trial.Begin(ring, {conformance::RecvMultishot(pair.one.get(), registration.get())});
    for (uint64_t i = 0; i < kMessages; ++i)
      conformance::WriteAll(pair.other.get(), conformance::Pattern(kSeed + i, 0, 100));
    pair.other.Close();
    uint64_t received = 0;
    const auto take = [&] {
      for (const mooring_completion_t& part : trial.TakeParts()) {
        const mooring_lease_t lease = {part.lease_first_index, 1, part.lease_generation, 0};
        const void* const data = mooring_slab_data(slab.get(), lease);
        trial.Expect(data != nullptr && conformance::HasPattern(data, kSeed + received++, 0,
                                                                static_cast<uint64_t>(part.result)),
                     "the received bytes are the bytes sent");
        trial.Release(slab, lease);
      }
    };
    const bool ended = conformance::Eventually([&] {
      const bool completed = trial.ReapAvailable(ring, &results);
      take();
      return completed;
    });
    trial.Expect(ended, "the receive ends");
    trial.ExpectDone("a receiver", results[0], 0);
    if (results[0].ok()) trial.Expect(received == kMessages, "all messages arrived before the end");
    trial.ExpectIdle(ring);
  }
  trial.ExpectNoLeases(slab);
}

void MultishotReceiveProvided(Trial& trial) { MultishotReceive(trial, 2); }

void MultishotReceiveWithoutProvided(Trial& trial) { MultishotReceive(trial, 0); }

void MultishotAccept(Trial& trial) {
  const conformance::TcpListener listener;
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  Results results = trial.Begin(ring, {conformance::AcceptMultishot(listener.fd())});
  const Fd one = conformance::TcpSocket();
  const Fd other = conformance::TcpSocket();
  const auto* const address = reinterpret_cast<const sockaddr*>(&listener.address());
  trial.Expect(connect(one.get(), address, sizeof(sockaddr_in)) == 0, "the first socket connects");
  trial.Expect(connect(other.get(), address, sizeof(sockaddr_in)) == 0,
               "the second socket connects");
  std::vector<Fd> accepted;
  (void)conformance::Eventually([&] {
    const bool ended = trial.ReapAvailable(ring, &results);
    for (const mooring_completion_t& part : trial.TakeParts())
      accepted.emplace_back(static_cast<int>(part.result));
    return ended || accepted.size() == 2;
  });
  if (!results[0].completed) {
    trial.Expect(!results[0].accepted || accepted.size() == 2, "both connections are accepted");
    trial.CancelAndAwait(ring, &results);
  }
  trial.ExpectIdle(ring);
}

void UseZeroCopy(Trial& trial, mooring_send_t kind) {
  SocketPair pair = conformance::TcpPair();
  const Setting setting(trial);
  if (!setting.complete()) return;
  const Results sent =
      trial.Perform(setting.ring, {Send(pair.one.get(), setting.At(0), kBufferBytes, 0, kind)});
  // ZERO_COPY fails if the memory is not pinned.
  trial.ExpectDone("a send", sent[0], kBufferBytes);
  pair.one.Close();
  const std::vector<std::byte> bytes = conformance::ReadAll(pair.other.get(), kBufferBytes);
  trial.Expect(Holds(bytes.data(), static_cast<int64_t>(bytes.size())),
               "only the bytes of the pattern arrived");
  trial.Expect(!sent[0].ok() || static_cast<int64_t>(bytes.size()) == sent[0].result(),
               "all sent bytes arrived");
  trial.ExpectIdle(setting.ring);
  trial.ExpectNoLeases(setting.slab);
}

void ZeroCopy(Trial& trial) { UseZeroCopy(trial, MOORING_SEND_ZERO_COPY); }
void AutoCopy(Trial& trial) { UseZeroCopy(trial, MOORING_SEND_AUTO); }

constexpr Scenario kScenarios[] = {
    {"messages", &Messages, kInBoth | kInOwner},
    {"segments", &Segments, kInBoth | kInOwner},
    {"connections", &Connections, kInBoth | kInOwner},
    {"multishot_receive_provided", &MultishotReceiveProvided, kInIoUring | kInOwner},
    {"multishot_receive_without_provided", &MultishotReceiveWithoutProvided, kInBoth},
    {"multishot_accept", &MultishotAccept, kInBoth | kInOwner},
    {"zero_copy", &ZeroCopy, kInIoUring},
    {"auto_copy", &AutoCopy, kInThreads},
};

}  // namespace

std::span<const Scenario> SocketScenarios() { return kScenarios; }

}  // namespace mooring::faults
