// Sockets on kernels without some opcodes. testing/conformance/sockets tests the common behaviour.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "cpp/engine/testing/engine_test_support.h"
#include "cpp/engine/testing/fake_kernel.h"

namespace mooring {
namespace {

Request ShutdownOf(int fd, int how) {
  return {.opcode = Opcode::kShutdown, .fd = fd, .parameter = static_cast<uint64_t>(how)};
}

bool SendsZeroCopy(FakeKernel& kernel, std::set<uint8_t> missing) {
  kernel.missing_opcodes = std::move(missing);
  const auto engine = MakeUring(OptionsOf(Mode::kAnyThread), FakeKernel::calls());
  return engine != nullptr && (engine->info().features & kFeatureSendZeroCopy) != 0;
}

TEST(IoUringSendZeroCopyTest, IsTriedWhereNoOpcodeShowsIt) {
  SKIP_UNLESS(HasUring(), "io_uring");
  FakeKernel kernel;
  SKIP_UNLESS(SendsZeroCopy(kernel, {}), "send_zero_copy");
  EXPECT_FALSE(SendsZeroCopy(kernel, {IORING_OP_SEND_ZC}));
  const uint32_t before = kernel.setup_calls;
  EXPECT_TRUE(SendsZeroCopy(kernel, {kOpcodeReadMultishot})) << "as on 6.2 to 6.6";
  EXPECT_EQ(kernel.setup_calls, before + 2) << "the trial makes a separate ring";
  kernel.on_setup = [&](uint32_t, const io_uring_params&) {
    return kernel.setup_calls > before + 3 ? -ENOMEM : 1;
  };
  EXPECT_FALSE(SendsZeroCopy(kernel, {kOpcodeReadMultishot}))
      << "without the trial the feature is off";
}

class IoUringWithoutShutdownTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    kernel_.missing_opcodes = {IORING_OP_SHUTDOWN};
    engine_ = MakeUring(OptionsOf(GetParam()), FakeKernel::calls());
    ASSERT_NE(engine_, nullptr);
  }

  FakeKernel kernel_;
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Modes, IoUringWithoutShutdownTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner, Mode::kSqpoll),
                         ModeName);

TEST_P(IoUringWithoutShutdownTest, ItDoesNotUseTheSubmissionQueue) {
  const SocketPair ends;
  kernel_.on_enter = [](int, uint32_t* to_submit, uint32_t) {
    EXPECT_EQ(*to_submit, 0u);
    return 1;
  };
  EXPECT_EQ(Results(*engine_, {ShutdownOf(ends.one.get(), SHUT_WR)}), Values({0}));
  char byte = 0;
  EXPECT_EQ(recv(ends.other.get(), &byte, 1, 0), 0);
  const TempFile file;
  EXPECT_EQ(Results(*engine_, {ShutdownOf(file.fd(), SHUT_WR), ShutdownOf(-1, SHUT_RD)}),
            Values({-ENOTSOCK, -EBADF}));
}

TEST_P(IoUringWithoutShutdownTest, ItKeepsItsPlaceBetweenTheOtherRequests) {
  const SocketPair ends;
  char data[8] = {};
  const std::vector<char> bytes = Bytes(8);
  EXPECT_EQ(Results(*engine_, {WriteAt(ends.one.get(), kFileOffsetCurrent, bytes.data(), 8), Nop(),
                               ShutdownOf(ends.one.get(), SHUT_WR), Nop(),
                               ReadAt(ends.other.get(), kFileOffsetCurrent, data, 8)}),
            Values({8, 0, 0, 0, 8}));
  EXPECT_TRUE(std::equal(data, data + 8, bytes.begin()));
}

TEST_P(IoUringWithoutShutdownTest, ItWakesAReceiveAndReachesAReapInTheSameCall) {
  const SocketPair ends;
  char data[8];
  const Request receive = {
      .opcode = Opcode::kRecv, .fd = ends.one.get(), .address = data, .size64 = 8, .token = 1};
  engine_->Submit({&receive, 1});
  ExpectNone(*engine_);
  const Request shutdown = As(2, ShutdownOf(ends.one.get(), SHUT_RD));
  Event events[2];
  EXPECT_EQ(engine_->SubmitAndReap({&shutdown, 1}, events, 2, Patience()), 2u);
  for (const Event& event : events) EXPECT_EQ(event.result, 0);
}

}  // namespace
}  // namespace mooring
