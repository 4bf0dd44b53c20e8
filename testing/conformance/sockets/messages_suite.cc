// Messages: bytes from one socket to another, whole and in part, with the flags of send(2) and
// recv(2).

#include <fcntl.h>
#include <linux/io_uring.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/kernel_probe.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class Messages : public DataTest {
 protected:
  static constexpr uint64_t kHalf = kSlabBytes / 2;

  void ExpectOnCopyPath(const mooring_completion_t& completion, int64_t result,
                        mooring_completion_flags_t flags = 0) {
    EXPECT_EQ(completion.result, result);
    EXPECT_EQ(completion.flags, flags);
    EXPECT_EQ(completion.path, uint32_t{MOORING_PATH_COPY});
  }
};

CONFORMANCE_TEST(Messages, GoFromOneEndToTheOther, kAnywhere) {
  constexpr uint64_t kSize = 50'000;
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    const mooring_ring_stats_t before = Stats(ring_);
    FillPattern(data(), 21, 0, kSize);
    const auto completions = Run(ring_, {Send(pair.one.get(), At(0), kSize, MSG_WAITALL),
                                         Recv(pair.other.get(), At(kHalf), kSize, MSG_WAITALL)});
    ExpectOnCopyPath(completions[0], kSize);
    ExpectOnCopyPath(completions[1], kSize);
    EXPECT_TRUE(HasPattern(data(kHalf), 21, 0, kSize));
    const mooring_ring_stats_t after = Stats(ring_);
    EXPECT_EQ(after.send - before.send, 1u);
    EXPECT_EQ(after.recv - before.recv, 1u);
    EXPECT_EQ(after.send_bytes - before.send_bytes, kSize);
    EXPECT_EQ(after.recv_bytes - before.recv_bytes, kSize);
    EXPECT_EQ(after.short_count, before.short_count);
    EXPECT_EQ(after.write + after.write_fixed + after.read + after.read_fixed, 0u);
  }
}

CONFORMANCE_TEST(Messages, TakeAddressesAndLeases, kAnywhere) {
  const SocketPair pair = UnixPair();
  std::vector<std::byte> bytes = Pattern(22, 0, 1000);
  const mooring_lease_t lease = Acquire(slab_);
  const auto completions =
      Run(ring_, {Send(pair.one.get(), AtAddress(bytes.data()), 1000),
                  Recv(pair.other.get(), InLease(registration_.get(), lease, 8), 1000)});
  ExpectOnCopyPath(completions[0], 1000);
  ExpectOnCopyPath(completions[1], 1000);
  EXPECT_TRUE(HasPattern(data(lease.first_index * kBufferBytes + 8), 22, 0, 1000));
  EXPECT_OK(mooring_slab_release(slab_.get(), lease));
}

CONFORMANCE_TEST(Messages, Rule4ShortAndEndOfFileAreFlagged, kAnywhere) {
  constexpr uint32_t kEnd = MOORING_COMPLETION_END_OF_FILE | MOORING_COMPLETION_SHORT;
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    SocketPair pair = StreamPair(family);
    WriteAll(pair.one.get(), Pattern(23, 0, 100));
    ExpectOnCopyPath(RunOne(ring_, Recv(pair.other.get(), At(0), 4096)), 100,
                     MOORING_COMPLETION_SHORT);
    pair.one.Close();
    ExpectOnCopyPath(RunOne(ring_, Recv(pair.other.get(), At(0), 4096)), 0, kEnd);
  }
  EXPECT_EQ(Stats(ring_).short_count, 4u);
}

CONFORMANCE_TEST(Messages, OfZeroBytesAreNotEndOfFile, kAnywhere) {
  const SocketPair pair = UnixPair();
  WriteAll(pair.one.get(), Pattern(23, 0, 1));
  ExpectOnCopyPath(RunOne(ring_, Send(pair.one.get(), At(0), 0)), 0);
  ExpectOnCopyPath(RunOne(ring_, Recv(pair.other.get(), At(0), 0)), 0);
}

CONFORMANCE_TEST(Messages, ALargeSendWaitsForASlowReader, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family, 16 * 1024);
    FillPattern(data(), 24, 0, kHalf);
    Submit(ring_, {Send(pair.one.get(), At(0), kHalf, MSG_WAITALL)});
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << "completed before the peer read";
    // On another thread, because a ring with an owner makes progress only while the owner reaps.
    std::vector<std::byte> received;
    std::thread reader([&] { received = ReadAll(pair.other.get(), kHalf); });
    ExpectOnCopyPath(Reap(ring_, 1).front(), static_cast<int64_t>(kHalf));
    reader.join();
    ASSERT_EQ(received.size(), kHalf);
    EXPECT_TRUE(HasPattern(received.data(), 24, 0, kHalf));
  }
}

CONFORMANCE_TEST(Messages, WithoutWaitallASendIsShort, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family, 16 * 1024);
    const mooring_completion_t completion =
        RunOne(ring_, Send(pair.one.get(), At(0), kHalf, 0, MOORING_SEND_COPY));
    EXPECT_GT(completion.result, 0);
    EXPECT_LT(completion.result, static_cast<int64_t>(kHalf));
    EXPECT_EQ(completion.flags, uint32_t{MOORING_COMPLETION_SHORT});
  }
}

CONFORMANCE_TEST(Messages, WaitallCollectsSeveralPieces, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    const std::vector<std::byte> bytes = Pattern(25, 0, 300);
    Submit(ring_, {Recv(pair.other.get(), At(0), 300, MSG_WAITALL)});
    for (uint64_t i = 0; i < 300; i += 100) {
      EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << i << " of 300 have been sent";
      WriteAll(pair.one.get(), std::span(bytes).subspan(i, 100));
    }
    ExpectOnCopyPath(Reap(ring_, 1).front(), 300);
    EXPECT_TRUE(HasPattern(data(), 25, 0, 300));
  }
}

CONFORMANCE_TEST(Messages, Rule4WaitallReportsThePartBeforeEndOfFile, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    SocketPair pair = StreamPair(family);
    Submit(ring_, {Recv(pair.other.get(), At(0), 300, MSG_WAITALL)});
    WriteAll(pair.one.get(), Pattern(26, 0, 100));
    pair.one.Close();
    ExpectOnCopyPath(Reap(ring_, 1).front(), 100, MOORING_COMPLETION_SHORT);
    EXPECT_TRUE(HasPattern(data(), 26, 0, 100));
  }
}

CONFORMANCE_TEST(Messages, Rule4CancellationReportsThePartThatWasMoved, kAnywhere) {
  // Before 6.1, which added DEFER_TASKRUN, the kernel returns ECANCELED without the count.
  const bool is_reported = Info(ring_).engine == MOORING_ENGINE_THREADS ||
                           ProbeRing(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) == 0;
  SKIP_WITHOUT(is_reported, "count_of_cancelled", "run on Linux 6.1 or later");
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    Submit(ring_, {WithUserData(Recv(pair.other.get(), At(0), 300, MSG_WAITALL), 8)});
    WriteAll(pair.one.get(), Pattern(27, 0, 100));
    // With an owner thread, io_uring makes progress only while the owner reaps.
    ASSERT_TRUE(Eventually([&] {
      EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
      return Unread(pair.other.get()) == 0;
    }));
    uint32_t count = 0;
    ASSERT_OK(mooring_ring_cancel(ring_.get(), 8, &count));
    ExpectOnCopyPath(Reap(ring_, 1).front(), 100, MOORING_COMPLETION_SHORT);
    EXPECT_TRUE(HasPattern(data(), 27, 0, 100));
  }
}

CONFORMANCE_TEST(Messages, DatagramsKeepTheirBoundaries, kAnywhere) {
  const SocketPair pair = UnixPair(SOCK_DGRAM);
  Run(ring_, {WithFlags(Send(pair.one.get(), At(0), 10), MOORING_OPERATION_LINK),
              WithFlags(Send(pair.one.get(), At(0), 20), MOORING_OPERATION_LINK),
              WithFlags(Send(pair.one.get(), At(0), 30), MOORING_OPERATION_LINK),
              Send(pair.one.get(), At(0), 0)});
  const auto receive = [&](uint64_t size, int flags) {
    return RunOne(ring_, Recv(pair.other.get(), At(kHalf), size, flags));
  };
  ExpectOnCopyPath(receive(512, 0), 10, MOORING_COMPLETION_SHORT);
  ExpectOnCopyPath(receive(8, 0), 8);
  ExpectOnCopyPath(receive(8, MSG_TRUNC), 30);
  ExpectOnCopyPath(receive(8, 0), 0, MOORING_COMPLETION_END_OF_FILE | MOORING_COMPLETION_SHORT);
  EXPECT_EQ(Stats(ring_).recv_bytes, 10u + 8u + 8u);
}

CONFORMANCE_TEST(Messages, PeekLeavesTheBytes, kAnywhere) {
  const SocketPair pair = UnixPair();
  WriteAll(pair.one.get(), Pattern(28, 0, 64));
  ExpectOnCopyPath(RunOne(ring_, Recv(pair.other.get(), At(0), 64, MSG_PEEK)), 64);
  ExpectOnCopyPath(RunOne(ring_, Recv(pair.other.get(), At(512), 64)), 64);
  EXPECT_TRUE(HasPattern(data(), 28, 0, 64));
  EXPECT_TRUE(HasPattern(data(512), 28, 0, 64));
}

CONFORMANCE_TEST(Messages, DontwaitDoesNotWait, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family, 16 * 1024);
    EXPECT_EQ(RunOne(ring_, Recv(pair.other.get(), At(0), 64, MSG_DONTWAIT)).result, -EAGAIN);
    // Enough sends to fill any buffer.
    int64_t result = 1;
    for (int i = 0; i < 1000 && result > 0; ++i) {
      const mooring_op_t send =
          Send(pair.one.get(), At(0), kBufferBytes, MSG_DONTWAIT, MOORING_SEND_COPY);
      result = RunOne(ring_, send).result;
    }
    EXPECT_EQ(result, -EAGAIN);
  }
}

CONFORMANCE_TEST(Messages, NonblockingDescriptorsWaitToo, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    SetNonblocking(pair.other.get());
    Submit(ring_, {Recv(pair.other.get(), At(0), 64)});
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    WriteAll(pair.one.get(), Pattern(29, 0, 64));
    ExpectOnCopyPath(Reap(ring_, 1).front(), 64);
    EXPECT_NE(FlagsOf(pair.other.get()) & O_NONBLOCK, 0);
  }
}

CONFORMANCE_TEST(Messages, Rule2ALeaseReleasedEarlyIsHeldUntilTheCompletion, kAnywhere) {
  const SocketPair pair = TcpPair();
  const mooring_lease_t lease = Acquire(slab_, 2);
  Submit(ring_, {Recv(pair.other.get(), InLease(registration_.get(), lease, 16), 64)});
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  EXPECT_EQ(Info(slab_).held_count, 2u);
  WriteAll(pair.one.get(), Pattern(30, 0, 64));
  ExpectOnCopyPath(Reap(ring_, 1).front(), 64);
  EXPECT_TRUE(HasPattern(data(lease.first_index * kBufferBytes + 16), 30, 0, 64));
  EXPECT_EQ(Info(slab_).held_count, 0u);
}

CONFORMANCE_TEST(Messages, AReceiveCanBeLinkedToAWriteOfItsBytes, kAnywhere) {
  const TempDir dir;
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    SocketPair pair = StreamPair(family);
    const Fd file = dir.Create(NameOf(family));
    const std::vector<mooring_op_t> chain = {
        WithFlags(Recv(pair.other.get(), At(0), 4096), MOORING_OPERATION_LINK),
        Write(file.get(), 0, At(0), 4096)};
    Submit(ring_, chain);
    const std::vector<std::byte> bytes = Pattern(31, 0, 4096);
    WriteAll(pair.one.get(), std::span(bytes).first(1000));
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << "completed before the full size arrived";
    WriteAll(pair.one.get(), std::span(bytes).subspan(1000));
    for (const mooring_completion_t& completion : Reap(ring_, 2)) {
      EXPECT_EQ(completion.result, 4096);
    }
    EXPECT_EQ(Contents(file.get()), bytes);

    // A part is not the full size: the stream ends, and nothing is written.
    WriteAll(pair.one.get(), std::span(bytes).first(10));
    pair.one.Close();
    const auto ended = Run(ring_, {chain[0], Write(file.get(), 4096, At(0), 4096)});
    ExpectOnCopyPath(ended[0], 10, MOORING_COMPLETION_SHORT);
    EXPECT_EQ(ended[1].result, -ECANCELED);
    EXPECT_EQ(FileSize(file.get()), 4096u);
  }
}

CONFORMANCE_TEST(Messages, TakeDescriptorsFromTheFileTable, kAnywhere) {
  mooring_ring_options_t options = RingOptions();
  options.fixed_file_count = 2;
  const Ring ring = CreateRing(options);
  ASSERT_NE(ring, nullptr);
  SocketPair pair = UnixPair();
  ASSERT_OK(mooring_ring_set_file(ring.get(), 0, pair.one.get()));
  ASSERT_OK(mooring_ring_set_file(ring.get(), 1, pair.other.get()));
  pair.one.Close();
  pair.other.Close();
  std::vector<std::byte> sent = Pattern(32, 0, 100);
  std::vector<std::byte> received(100);
  const auto completions =
      Run(ring, {WithFlags(Recv(1, AtAddress(received.data()), 100), MOORING_OPERATION_FIXED_FILE),
                 WithFlags(Send(0, AtAddress(sent.data()), 100), MOORING_OPERATION_FIXED_FILE)});
  ExpectOnCopyPath(completions[0], 100);
  ExpectOnCopyPath(completions[1], 100);
  EXPECT_EQ(received, sent);
}

}  // namespace
}  // namespace mooring::conformance
