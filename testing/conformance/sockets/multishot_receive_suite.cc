// RECV_MULTISHOT: one operation that returns many leases and has one final completion.

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/multishot_fixture.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class MultishotReceive : public MultishotTest {};

CONFORMANCE_TEST(MultishotReceive, ReturnsALeaseForEachMessage, kAnywhere) {
  for (const uint32_t provided : {0u, 4u}) {
    const Registration registration = RegisterProviding(provided);
    SocketPair pair = TcpPair();
    const mooring_ring_stats_t before = Stats(ring_);
    Submit(ring_, {WithUserData(RecvMultishot(pair.one.get(), registration.get()), 5)});
    for (uint32_t i = 0; i < 10; ++i) {
      WriteAll(pair.other.get(), Pattern(i, 0, 1000));
      const mooring_completion_t completion = Reap(ring_, 1).front();
      EXPECT_EQ(completion.user_data, 5u);
      ExpectBytes(completion, i, 1000);
      ReleaseLease(completion);
    }
    const mooring_ring_stats_t after = Stats(ring_);
    EXPECT_EQ(after.recv - before.recv, 10u);
    EXPECT_EQ(after.recv_bytes - before.recv_bytes, 10'000u);
    EXPECT_EQ(after.multishot_requests - before.multishot_requests,
              KernelHasMultishot(registration) ? 1u : 11u);
    pair.other.Close();
    ExpectLast(0, MOORING_COMPLETION_END_OF_FILE);
  }
  // All provided buffers are back in the slab.
  EXPECT_TRUE(Eventually([&] { return Info(slab_).leased_count == 0; }));
}

CONFORMANCE_TEST(MultishotReceive, DividesAStreamIntoBuffersInOrder, kAnywhere) {
  for (const uint32_t provided : {0u, 4u}) {
    const Registration registration = RegisterProviding(provided);
    constexpr uint64_t kBytes = 40 * kBufferBytes + 123;
    SocketPair pair = UnixPair();
    Submit(ring_, {RecvMultishot(pair.one.get(), registration.get())});
    uint64_t received = 0;
    uint64_t sent = 0;
    SetNonblocking(pair.other.get());
    while (received < kBytes) {
      if (sent < kBytes) {
        const std::vector<std::byte> piece =
            Pattern(3, sent, std::min<uint64_t>(kBytes - sent, 100'000));
        const ssize_t written = write(pair.other.get(), piece.data(), piece.size());
        if (written > 0) sent += static_cast<uint64_t>(written);
      }
      for (const mooring_completion_t& completion : ReapSome()) {
        ASSERT_GT(completion.result, 0);
        const auto size = static_cast<uint64_t>(completion.result);
        ASSERT_TRUE(HasPattern(BytesOf(completion), 3, received, size));
        received += size;
        ReleaseLease(completion);
      }
    }
    EXPECT_EQ(received, kBytes);
    pair.other.Close();
    ExpectLast(0, MOORING_COMPLETION_END_OF_FILE);
  }
}

CONFORMANCE_TEST(MultishotReceive, SeveralOperationsShareTheProvidedBuffers, kAnywhere) {
  const Registration registration = RegisterProviding(4);
  std::vector<SocketPair> pairs;
  for (uint32_t i = 0; i < 6; ++i) {
    pairs.push_back(StreamPair(i % 2 == 0 ? Family::kTcp : Family::kUnix));
    Submit(ring_, {WithUserData(RecvMultishot(pairs.back().one.get(), registration.get()), i)});
  }
  for (uint32_t round = 0; round < 20; ++round) {
    for (uint32_t i = 0; i < 6; ++i) WriteAll(pairs[i].other.get(), Pattern(i + round, 0, 512));
    for (const mooring_completion_t& completion : Reap(ring_, 6)) {
      ExpectBytes(completion, static_cast<uint32_t>(completion.user_data) + round, 512);
      ReleaseLease(completion);
    }
  }
  for (uint64_t i = 0; i < 6; ++i) {
    uint32_t count = 0;
    EXPECT_OK(mooring_ring_cancel(ring_.get(), i, &count));
    EXPECT_EQ(count, 1u);
  }
  for (const mooring_completion_t& completion : Reap(ring_, 6)) {
    EXPECT_EQ(completion.result, -ECANCELED);
    EXPECT_EQ(completion.flags, 0u);
  }
}

CONFORMANCE_TEST(MultishotReceive, DatagramsKeepTheirBoundaries, kAnywhere) {
  for (const uint32_t provided : {0u, 4u}) {
    const Registration registration = RegisterProviding(provided);
    const SocketPair pair = UnixPair(SOCK_SEQPACKET);
    for (uint32_t i = 0; i < 3; ++i) WriteAll(pair.other.get(), Pattern(i, 0, 10 + i));
    Submit(ring_, {RecvMultishot(pair.one.get(), registration.get())});
    const std::vector<mooring_completion_t> completions = Reap(ring_, 3);
    for (uint32_t i = 0; i < 3; ++i) {
      ExpectBytes(completions[i], i, 10 + i);
      ReleaseLease(completions[i]);
    }
    CancelAndExpectLast();
  }
}

CONFORMANCE_TEST(MultishotReceive, AnErrorEndsIt, kAnywhere) {
  for (const uint32_t provided : {0u, 4u}) {
    const Registration registration = RegisterProviding(provided);
    const TempDir directory;
    const Fd file = directory.Create("file");
    Submit(ring_, {RecvMultishot(file.get(), registration.get())});
    ExpectLast(-ENOTSOCK, 0);
    SocketPair pair = TcpPair();
    Submit(ring_, {RecvMultishot(pair.one.get(), registration.get())});
    ResetOnClose(pair.other.get());
    pair.other.Close();
    ExpectLast(-ECONNRESET, 0);
  }
  EXPECT_TRUE(Eventually([&] { return Info(slab_).leased_count == 0; }));
}

CONFORMANCE_TEST(MultishotReceive, RefusesUnusedFields, kAnywhere) {
  const SocketPair pair = TcpPair();
  const auto refuse = [&](const mooring_op_t& operation) {
    uint32_t accepted = 9;
    EXPECT_REFUSED(mooring_ring_submit(ring_.get(), &operation, 1, &accepted),
                   MOORING_CODE_INVALID_ARGUMENT, "RECV_MULTISHOT");
    EXPECT_EQ(accepted, 0u);
  };
  refuse(RecvMultishot(pair.one.get(), nullptr));
  mooring_op_t receive = RecvMultishot(pair.one.get(), registration_.get());
  receive.size = 1;
  refuse(receive);
  receive = RecvMultishot(pair.one.get(), registration_.get());
  receive.parameter = MSG_WAITALL;
  refuse(receive);
  receive = RecvMultishot(pair.one.get(), registration_.get());
  receive.lease_generation = 1;
  refuse(receive);
}

}  // namespace
}  // namespace mooring::conformance
