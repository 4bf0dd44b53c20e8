// The error of a zero-copy send was lost. It is in the first of its two events. The second event,
// which reports that the memory is free, was taken for the result.
#include <cerrno>

#include "testing/regressions/regression_test.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class ZeroCopyErrorLost : public RegressionTest {};

TEST_P(ZeroCopyErrorLost, TheCompletionHasTheErrno) {
  SKIP_WITHOUT((Features() & MOORING_FEATURE_SEND_ZERO_COPY) != 0, "send_zero_copy",
               "run Linux 6.2 or later");
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  const Registration registration = Register(ring, slab, MOORING_POLICY_REQUIRE);
  const SocketPair pair = TcpPair();
  ASSERT_EQ(shutdown(pair.one.get(), SHUT_WR), 0);
  const auto sent = RunOne(
      ring, Send(pair.one.get(), InSlab(registration.get(), 0), 4096, 0, MOORING_SEND_ZERO_COPY));
  EXPECT_EQ(sent.result, -EPIPE);
  EXPECT_EQ(Stats(ring).failed, 1u);
  EXPECT_EQ(Stats(ring).send_bytes, 0u);
}

INSTANTIATE_TEST_SUITE_P(IoUring, ZeroCopyErrorLost, ::testing::Values(MOORING_ENGINE_AUTO));

}  // namespace
}  // namespace mooring::conformance
