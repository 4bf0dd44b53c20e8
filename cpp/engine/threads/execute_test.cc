// Attempts of reads and writes that the running kernel may not need, if it accepts RWF_NOWAIT for
// every file.

#include "cpp/engine/threads/execute.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"

namespace mooring {
namespace {

using Step = Outcome::Step;

Outcome Try(const Request& request, Attempt attempt) {
  return Execute(request, request.fd, attempt);
}

TEST(ThreadsExecute, AStreamIsDetectedWithoutMovingData) {
  Pipe pipe;
  char data[4];
  Attempt attempt = Attempt::kFirst;
  const Outcome outcome =
      Execute(ReadAt(pipe.read_end.get(), 7, data, 4), pipe.read_end.get(), attempt);
  EXPECT_EQ(outcome.step, Step::kNotReady);
  EXPECT_EQ(outcome.events, static_cast<uint32_t>(POLLIN));
  EXPECT_NE(attempt, Attempt::kFirst);
}

TEST(ThreadsExecute, AnUnknownOpcodeGivesEinval) {
  const Request request = {.opcode = static_cast<Opcode>(kOpcodeCount)};
  EXPECT_EQ(Try(request, Attempt::kFirst).result, -EINVAL);
}

TEST(ThreadsExecute, ASocketIsUsedWithMsgDontwait) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd one(ends[0]);
  UniqueFd other(ends[1]);
  char data[4];
  EXPECT_EQ(Try(ReadOf(one.get(), data, 4), Attempt::kSocket).step, Step::kNotReady);
  EXPECT_EQ(Try(WriteOf(other.get(), "abcd", 4), Attempt::kSocket).result, 4);
  EXPECT_EQ(Try(ReadOf(one.get(), data, 4), Attempt::kSocket).result, 4);
  const std::vector<char> bytes = Bytes(1 << 20);
  const Outcome part = Try(WriteOf(one.get(), bytes.data(), bytes.size()), Attempt::kSocket);
  EXPECT_GT(part.result, 0);
  EXPECT_LT(part.result, 1 << 20);
  EXPECT_EQ(Try(WriteOf(one.get(), bytes.data(), 1), Attempt::kSocket).events,
            static_cast<uint32_t>(POLLOUT));
  other.Reset();
  EXPECT_EQ(Try(WriteOf(one.get(), bytes.data(), 1), Attempt::kSocket).result, -EPIPE);
}

TEST(ThreadsExecute, OtherStreamsNeedTheExclusivePoll) {
  Pipe pipe;
  char data[4];
  Attempt attempt = Attempt::kSocket;
  EXPECT_EQ(Execute(ReadOf(pipe.read_end.get(), data, 4), pipe.read_end.get(), attempt).step,
            Step::kNeedsExclusivePoll);
  EXPECT_EQ(attempt, Attempt::kPolled);
}

// The path of a pipe before Linux 6.4.
TEST(ThreadsExecute, APolledPipeIsReadWhenItIsReady) {
  Pipe pipe;
  char data[8];
  EXPECT_EQ(Try(ReadOf(pipe.read_end.get(), data, 8), Attempt::kPolled).events,
            static_cast<uint32_t>(POLLIN));
  ASSERT_EQ(write(pipe.write_end.get(), "abc", 3), 3);
  EXPECT_EQ(Try(ReadOf(pipe.read_end.get(), data, 8), Attempt::kPolled).result, 3);
  pipe.write_end.Reset();
  EXPECT_EQ(Try(ReadOf(pipe.read_end.get(), data, 8), Attempt::kPolled).result, 0);
}

TEST(ThreadsExecute, APolledWriteFillsThePipeAndDoesNotWait) {
  signal(SIGPIPE, SIG_IGN);  // only workers block it
  Pipe pipe;
  const std::vector<char> bytes = Bytes(1 << 20);
  const Outcome written =
      Try(WriteOf(pipe.write_end.get(), bytes.data(), bytes.size()), Attempt::kPolled);
  EXPECT_EQ(written.result, fcntl(pipe.read_end.get(), F_GETPIPE_SZ));
  EXPECT_EQ(Try(WriteOf(pipe.write_end.get(), bytes.data(), 1), Attempt::kPolled).step,
            Step::kNotReady);
  std::vector<char> got(bytes.size());
  ASSERT_EQ(read(pipe.read_end.get(), got.data(), got.size()), written.result);
  EXPECT_TRUE(std::equal(got.begin(), got.begin() + written.result, bytes.begin()));
  pipe.read_end.Reset();
  EXPECT_EQ(Try(WriteOf(pipe.write_end.get(), bytes.data(), 1), Attempt::kPolled).result, -EPIPE);
}

TEST(ThreadsExecute, ABlockingAttemptReads) {
  Pipe pipe;
  char data[4];
  ASSERT_EQ(write(pipe.write_end.get(), "abcd", 4), 4);
  EXPECT_EQ(Try(ReadOf(pipe.read_end.get(), data, 4), Attempt::kBlocking).result, 4);
}

}  // namespace
}  // namespace mooring
