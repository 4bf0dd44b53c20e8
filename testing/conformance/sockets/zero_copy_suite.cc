// ZeroCopy: sends from pinned memory that are not copied, that the kernel copies nevertheless, and
// that must be plain sends. Result and notification are one completion, and the memory is held
// until then.

#include <sys/socket.h>

#include <cerrno>
#include <set>
#include <thread>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/dropping_network.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class ZeroCopy : public DataTest {
 protected:
  static constexpr uint64_t kMebibyte = kSlabBytes / 2;
  static constexpr uint64_t kAutoBytesMin = 48 * 1024;  // AUTO requests zero-copy from this size on

  bool RingHasZeroCopy() const {
    return (Info(ring_).features & MOORING_FEATURE_SEND_ZERO_COPY) != 0;
  }

  mooring_op_t SendAs(mooring_send_t kind, int fd, uint64_t size, int message_flags = 0) const {
    return Send(fd, At(0), size, message_flags, kind);
  }

  // The expected values of the two zero-copy counters.
  void ExpectCounted(uint64_t zero_copy, uint64_t copied) {
    EXPECT_EQ(Stats(ring_).send_zero_copy, zero_copy);
    EXPECT_EQ(Stats(ring_).send_copied, copied);
  }
};

constexpr char kKernelRemedy[] = "run on Linux 6.2 or later";

CONFORMANCE_TEST(ZeroCopy, TakesTheFixedPathWhereNothingIsCopied, kPinned | kZeroCopy) {
  SKIP_WITHOUT(RingHasZeroCopy(), "send_zero_copy", kKernelRemedy);
  const DroppingNetwork network;
  SKIP_WITHOUT(network.valid(), "net_admin", kNetAdminRemedy);
  const int fd = network.udp_fd();
  const auto completions = Run(ring_, {SendAs(MOORING_SEND_ZERO_COPY, fd, 1000),
                                       SendAs(MOORING_SEND_ZERO_COPY, fd, kAutoBytesMin),
                                       SendAs(MOORING_SEND_AUTO, fd, kAutoBytesMin + 1000),
                                       SendAs(MOORING_SEND_AUTO, fd, kAutoBytesMin),
                                       SendAs(MOORING_SEND_AUTO, fd, kAutoBytesMin - 1),
                                       SendAs(MOORING_SEND_COPY, fd, kAutoBytesMin),
                                       SendAs(MOORING_SEND_AUTO, fd, kAutoBytesMin, MSG_OOB)});
  EXPECT_EQ(completions[6].result, -EOPNOTSUPP) << "the result of a plain send";
  for (int i = 0; i < 6; ++i) {
    EXPECT_GT(completions[i].result, 0) << i;
    EXPECT_EQ(completions[i].flags, 0u) << i;
    EXPECT_EQ(completions[i].path, uint32_t{i < 4 ? MOORING_PATH_FIXED : MOORING_PATH_COPY}) << i;
  }
  ExpectCounted(4, 0);
  EXPECT_EQ(Stats(ring_).send, 3u);
  EXPECT_EQ(Stats(ring_).send_bytes, 5 * kAutoBytesMin + 1999);
}

CONFORMANCE_TEST(ZeroCopy, Rule5ReportsThatTheLoopbackDeviceCopies, kPinned | kZeroCopy) {
  SKIP_WITHOUT(RingHasZeroCopy(), "send_zero_copy", kKernelRemedy);
  const SocketPair pair = TcpPair();
  FillPattern(data(), 81, 0, kBufferBytes);
  const auto completions =
      Run(ring_, {SendAs(MOORING_SEND_ZERO_COPY, pair.one.get(), kBufferBytes, MSG_WAITALL),
                  Recv(pair.other.get(), At(kMebibyte), kBufferBytes, MSG_WAITALL)});
  EXPECT_EQ(completions[0].result, static_cast<int64_t>(kBufferBytes));
  EXPECT_EQ(completions[0].path, uint32_t{MOORING_PATH_COPY});
  EXPECT_TRUE(HasPattern(data(kMebibyte), 81, 0, kBufferBytes));
  ExpectCounted(0, 1);
  EXPECT_EQ(Stats(ring_).send, 1u);
}

CONFORMANCE_TEST(ZeroCopy, AutoSendsPlainWhereItIsCopiedAndTriesAgain, kPinned | kZeroCopy) {
  SKIP_WITHOUT(RingHasZeroCopy(), "send_zero_copy", kKernelRemedy);
  const SocketPair pair = TcpPair();
  for (int i = 0; i < 300; ++i) {
    const auto completions =
        Run(ring_, {SendAs(MOORING_SEND_AUTO, pair.one.get(), kAutoBytesMin, MSG_WAITALL),
                    Recv(pair.other.get(), At(kMebibyte), kAutoBytesMin, MSG_WAITALL)});
    ASSERT_EQ(completions[0].result, static_cast<int64_t>(kAutoBytesMin));
    ASSERT_EQ(completions[0].path, uint32_t{MOORING_PATH_COPY});
  }
  ExpectCounted(0, 2);  // the first, and one after 255 plain ones
  // A send that requests zero-copy explicitly uses it, whatever the results of others.
  Run(ring_, {SendAs(MOORING_SEND_ZERO_COPY, pair.one.get(), 100, MSG_WAITALL),
              Recv(pair.other.get(), At(kMebibyte), 100, MSG_WAITALL)});
  ExpectCounted(0, 3);
}

CONFORMANCE_TEST(ZeroCopy, Rule1TheLeaseIsHeldUntilTheNotification, kPinned | kZeroCopy) {
  SKIP_WITHOUT(RingHasZeroCopy(), "send_zero_copy", kKernelRemedy);
  constexpr uint64_t kAhead = 128 * 1024;
  SocketPair pair = TcpPair(16 * 1024);
  const int send_buffer = 1 << 20;
  ASSERT_EQ(setsockopt(pair.one.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer), 0);
  // More than the peer has room for: the bytes of the send after it stay in the socket and are not
  // copied yet.
  WriteAll(pair.one.get(), std::vector<std::byte>(kAhead));
  const mooring_lease_t lease = Acquire(slab_);
  Submit(ring_, {Send(pair.one.get(), InLease(registration_.get(), lease), kBufferBytes, 0,
                      MOORING_SEND_ZERO_COPY)});
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
  EXPECT_EQ(Info(slab_).held_count, 1u);
  // On another thread, because a ring with an owner makes progress only while the owner reaps.
  std::vector<std::byte> received;
  std::thread reader([&] { received = ReadAll(pair.other.get(), kAhead + kBufferBytes); });
  const mooring_completion_t completion = Reap(ring_, 1).front();
  pair.one.Close();
  reader.join();
  EXPECT_GT(completion.result, 0);
  EXPECT_EQ(received.size(), kAhead + static_cast<uint64_t>(completion.result));
  EXPECT_EQ(Info(slab_).held_count, 0u);
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << "more than one completion";
}

CONFORMANCE_TEST(ZeroCopy, Rule3ClosingWaitsForTheSocketAndLosesNoCompletion, kPinned | kZeroCopy) {
  SKIP_WITHOUT(RingHasZeroCopy(), "send_zero_copy", kKernelRemedy);
  constexpr uint32_t kSends = 64;
  SocketPair pair = TcpPair(16 * 1024);
  Ring ring = CreateRing();
  Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  const void* const data = Data(slab);
  const mooring_lease_t lease = Acquire(slab);
  std::vector<mooring_op_t> sends;
  for (uint32_t i = 0; i < kSends; ++i) {
    sends.push_back(WithUserData(Send(pair.one.get(), InLease(registration.get(), lease),
                                      kBufferBytes, MSG_WAITALL, MOORING_SEND_ZERO_COPY),
                                 i));
  }
  Submit(ring, sends);
  ASSERT_OK(mooring_slab_release(slab.get(), lease));
  // Usually the socket still has pages to send, which cancelling does not take from it, so the
  // memory is held. It is free immediately where the kernel has copied the bytes that it could not
  // send.
  const Failure closed = Take(mooring_ring_close(ring.get(), kQuietNs));
  EXPECT_TRUE(closed.ok() || closed.code == MOORING_CODE_TIMEOUT) << closed.ToString();
  EXPECT_EQ(Info(slab).held_count, closed.ok() ? 0u : 1u);
  ResetOnClose(pair.one.get());
  pair.one.Close();
  ASSERT_OK(mooring_ring_close(ring.get(), kPatienceNs));
  std::set<uint64_t> seen;
  for (const mooring_completion_t& completion : Reap(ring, kSends)) {
    EXPECT_TRUE(seen.insert(completion.user_data).second) << "completed twice";
    EXPECT_TRUE(completion.result > 0 || completion.result == -ECANCELED) << completion.result;
  }
  EXPECT_EQ(seen.size(), kSends);
  EXPECT_EQ(Info(slab).held_count, 0u);
  ring.reset();
  registration.reset();
  slab.reset();
  ExpectUnmapped(data);
}

CONFORMANCE_TEST(ZeroCopy, SocketsWithoutItFailOrSendPlain, kPinned | kZeroCopy) {
  SKIP_WITHOUT(RingHasZeroCopy(), "send_zero_copy", kKernelRemedy);
  const SocketPair pair = UnixPair();
  const mooring_lease_t lease = Acquire(slab_);
  Submit(ring_, {Send(pair.one.get(), InLease(registration_.get(), lease), kBufferBytes, 0,
                      MOORING_SEND_ZERO_COPY)});
  const mooring_completion_t refused = Reap(ring_, 1).front();
  EXPECT_EQ(refused.result, -EOPNOTSUPP) << "the first event's error";
  EXPECT_EQ(refused.path, uint32_t{MOORING_PATH_COPY});
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << "the second event became a completion";
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  EXPECT_EQ(Info(slab_).held_count, 0u);

  EXPECT_EQ(RunOne(ring_, SendAs(MOORING_SEND_AUTO, pair.one.get(), kBufferBytes)).result,
            static_cast<int64_t>(kBufferBytes));
  ExpectCounted(0, 0);
}

CONFORMANCE_TEST(ZeroCopy, SendsAreCopiedWhereTheKernelLacksIt, kPinned | kNoZeroCopy) {
  EXPECT_FALSE(RingHasZeroCopy());
  const mooring_op_t named = SendAs(MOORING_SEND_ZERO_COPY, -1, kAutoBytesMin);
  uint32_t accepted = 7;
  EXPECT_REFUSED(mooring_ring_submit(ring_.get(), &named, 1, &accepted), MOORING_CODE_UNSUPPORTED,
                 "ZERO_COPY");
  EXPECT_EQ(accepted, 0u);

  const DroppingNetwork network;
  SKIP_WITHOUT(network.valid(), "net_admin", kNetAdminRemedy);
  const int fd = network.udp_fd();  // takes pinned pages without a copy, where the kernel can
  for (const mooring_completion_t& completion :
       Run(ring_, {SendAs(MOORING_SEND_AUTO, fd, kAutoBytesMin),
                   SendAs(MOORING_SEND_COPY, fd, kAutoBytesMin)})) {
    EXPECT_EQ(completion.result, static_cast<int64_t>(kAutoBytesMin));
    EXPECT_EQ(completion.path, uint32_t{MOORING_PATH_COPY});
  }
  ExpectCounted(0, 0);
  EXPECT_EQ(Stats(ring_).send, 2u);
}

CONFORMANCE_TEST(ZeroCopy, Rule5IsRefusedWhereItIsImpossible, kAnywhere) {
  const SocketPair pair = TcpPair();
  std::vector<std::byte> bytes(kAutoBytesMin);
  std::vector<mooring_op_t> cannot = {
      Send(pair.one.get(), AtAddress(bytes.data()), kAutoBytesMin, 0, MOORING_SEND_ZERO_COPY)};
  const bool pinned = PathOf(kMebibyte, kMebibyte) == MOORING_PATH_FIXED;
  if (!pinned || !RingHasZeroCopy()) {
    cannot.push_back(Send(pair.one.get(), At(kMebibyte), kAutoBytesMin, 0, MOORING_SEND_ZERO_COPY));
  }
  for (const mooring_op_t& send : cannot) {
    uint32_t accepted = 7;
    EXPECT_REFUSED(mooring_ring_submit(ring_.get(), &send, 1, &accepted), MOORING_CODE_UNSUPPORTED,
                   "ZERO_COPY", "pinned");
    EXPECT_EQ(accepted, 0u);
    // The whole chain is refused.
    const mooring_op_t chain[] = {WithFlags(Nop(), MOORING_OPERATION_LINK), send};
    EXPECT_REFUSED(mooring_ring_submit(ring_.get(), chain, 2, &accepted), MOORING_CODE_UNSUPPORTED);
    EXPECT_EQ(accepted, 0u);
  }
  EXPECT_EQ(Stats(ring_).submitted, 0u);
}

// Rule 6: the kernel would charge a zero-copy send of unpinned memory to RLIMIT_MEMLOCK, and the
// send would fail where that is spent.
CONFORMANCE_TEST(ZeroCopy, Rule6UnpinnedMemoryIsSentPlain, kAnywhere) {
  const SocketPair pair = TcpPair();
  FillPattern(data(), 82, 0, kSlabBytes);
  std::vector<std::byte> received(kMebibyte);
  const auto completions =
      Run(ring_, {Send(pair.one.get(), At(kMebibyte), kMebibyte, MSG_WAITALL),
                  Recv(pair.other.get(), AtAddress(received.data()), kMebibyte, MSG_WAITALL)});
  EXPECT_EQ(completions[0].result, static_cast<int64_t>(kMebibyte));
  EXPECT_EQ(completions[0].path, uint32_t{MOORING_PATH_COPY});
  EXPECT_TRUE(HasPattern(received.data(), 82, kMebibyte, kMebibyte));
  const bool pinned = PathOf(kMebibyte, kMebibyte) == MOORING_PATH_FIXED;
  ExpectCounted(0, pinned && RingHasZeroCopy() ? 1 : 0);
  EXPECT_EQ(Stats(ring_).send, 1u);
}

}  // namespace
}  // namespace mooring::conformance
