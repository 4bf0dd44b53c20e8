// Readiness: POLL completes once, with the events that poll(2) returns.

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class Readiness : public DataTest {};

CONFORMANCE_TEST(Readiness, CompletesImmediatelyWhenReady, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    const mooring_completion_t completion = RunOne(ring_, Poll(pair.one.get(), POLLIN | POLLOUT));
    EXPECT_EQ(completion.result, POLLOUT);
    EXPECT_EQ(completion.path, uint32_t{MOORING_PATH_NONE});
    EXPECT_EQ(completion.flags, 0u);
  }
}

CONFORMANCE_TEST(Readiness, WaitsAndDoesNotConsumeBytes, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    Submit(ring_, {Poll(pair.one.get(), POLLIN)});
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    WriteAll(pair.other.get(), Pattern(61, 0, 10));
    EXPECT_EQ(Reap(ring_, 1).front().result, POLLIN);
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty()) << "POLL completed twice";
    EXPECT_EQ(Unread(pair.one.get()), 10u);
  }
}

CONFORMANCE_TEST(Readiness, CanBeCancelled, kAnywhere) {
  const SocketPair pair = UnixPair();
  Submit(ring_, {WithUserData(Poll(pair.one.get(), POLLIN), 9)});
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 9, &count));
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(Reap(ring_, 1).front().result, -ECANCELED);
}

CONFORMANCE_TEST(Readiness, ReportsAHangUpWithoutARequest, kAnywhere) {
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    SocketPair pair = StreamPair(family);
    Submit(ring_, {Poll(pair.one.get(), 0)});
    EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
    pair.other.Close();
    const int64_t result = Reap(ring_, 1).front().result;
    EXPECT_NE(result & (POLLHUP | POLLRDHUP), 0) << result;
    EXPECT_EQ(result & (POLLIN | POLLOUT), 0) << result;
  }
}

CONFORMANCE_TEST(Readiness, CompletesManyPollsOfOneDescriptor, kAnywhere) {
  constexpr uint32_t kCount = 32;
  const SocketPair pair = UnixPair();
  Submit(ring_, std::vector<mooring_op_t>(kCount, Poll(pair.one.get(), POLLIN)));
  WriteAll(pair.other.get(), Pattern(62, 0, 1));
  for (const mooring_completion_t& completion : Reap(ring_, kCount)) {
    EXPECT_EQ(completion.result, POLLIN);
  }
}

CONFORMANCE_TEST(Readiness, WorksOnOtherDescriptors, kAnywhere) {
  const Pipe pipe;
  const Fd event(eventfd(0, EFD_CLOEXEC));
  Submit(ring_, {WithUserData(Poll(pipe.read_fd(), POLLIN), 1),
                 WithUserData(Poll(event.get(), POLLIN), 2)});
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
  pipe.Write("x", 1);
  EXPECT_EQ(Reap(ring_, 1).front().user_data, 1u);
  const uint64_t one = 1;
  ASSERT_EQ(write(event.get(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
  const mooring_completion_t completion = Reap(ring_, 1).front();
  EXPECT_EQ(completion.user_data, 2u);
  EXPECT_EQ(completion.result, POLLIN);

  const TempDir dir;
  const Fd file = dir.Create("data");
  EXPECT_EQ(RunOne(ring_, Poll(file.get(), POLLIN | POLLOUT)).result, POLLIN | POLLOUT)
      << "files are always ready";
}

CONFORMANCE_TEST(Readiness, CanBeLinkedToAReceive, kAnywhere) {
  const SocketPair pair = TcpPair();
  Submit(ring_, {WithFlags(Poll(pair.one.get(), POLLIN), MOORING_OPERATION_LINK),
                 Recv(pair.one.get(), At(0), 10)});
  EXPECT_TRUE(ReapBriefly(ring_, 1).empty());
  WriteAll(pair.other.get(), Pattern(63, 0, 10));
  const auto completions = Reap(ring_, 2);
  ASSERT_EQ(completions.size(), 2u);
  EXPECT_EQ(completions[0].result, POLLIN);
  EXPECT_EQ(completions[1].result, 10);
  EXPECT_TRUE(HasPattern(data(), 63, 0, 10));
}

}  // namespace
}  // namespace mooring::conformance
