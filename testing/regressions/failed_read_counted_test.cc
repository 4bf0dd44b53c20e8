// A failed operation was counted as if it had transferred its bytes.
#include <cerrno>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class FailedReadCounted : public RegressionTest {};

TEST_P(FailedReadCounted, ByteCountsExcludeFailedOperations) {
  const Ring ring = CreateRing();
  const TempDir dir;
  const Fd file = dir.Create("file", Pattern(1, 0, 1000));
  std::vector<std::byte> bytes(4096);
  EXPECT_EQ(RunOne(ring, Read(-1, 0, AtAddress(bytes.data()), bytes.size())).result, -EBADF);
  EXPECT_EQ(RunOne(ring, Read(file.get(), 0, AtAddress(bytes.data()), 100)).result, 100);
  const mooring_ring_stats_t stats = Stats(ring);
  EXPECT_EQ(stats.failed, 1u);
  EXPECT_EQ(stats.read_bytes, 100u);
  EXPECT_EQ(stats.completed, 2u);
}

ON_BOTH_ENGINES(FailedReadCounted);

}  // namespace
}  // namespace mooring::conformance
