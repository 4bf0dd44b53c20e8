// A short read was reported as complete, and the end of a file as a success with no bytes.
#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

class ShortReadAsFull : public RegressionTest {};

TEST_P(ShortReadAsFull, BytesAndFlagsReportTheTransfer) {
  const Ring ring = CreateRing();
  const TempDir dir;
  const Fd file = dir.Create("file", Pattern(2, 0, 1000));
  std::vector<std::byte> bytes(4096);
  const auto part = RunOne(ring, Read(file.get(), 400, AtAddress(bytes.data()), bytes.size()));
  EXPECT_EQ(part.result, 600);
  EXPECT_EQ(part.flags, uint32_t{MOORING_COMPLETION_SHORT});
  EXPECT_TRUE(HasPattern(bytes.data(), 2, 400, 600));
  const auto end = RunOne(ring, Read(file.get(), 1000, AtAddress(bytes.data()), bytes.size()));
  EXPECT_EQ(end.result, 0);
  EXPECT_EQ(end.flags, uint32_t{MOORING_COMPLETION_SHORT | MOORING_COMPLETION_END_OF_FILE});
}

ON_BOTH_ENGINES(ShortReadAsFull);

}  // namespace
}  // namespace mooring::conformance
