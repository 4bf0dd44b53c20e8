// The table of error names was shorter than the list of codes. The name of the last code was read
// from the memory after the table.
#include <set>
#include <string>

#include "testing/regressions/regression_test.h"

namespace mooring::conformance {
namespace {

TEST(CodeWithoutName, EveryCodeHasADistinctName) {
  std::set<std::string> names;
  for (mooring_code_t code = MOORING_CODE_OK; code <= MOORING_CODE_INTERNAL; ++code) {
    names.insert(mooring_code_name(code));
  }
  EXPECT_EQ(names.size(), MOORING_CODE_INTERNAL + 1u);
  EXPECT_FALSE(names.contains("UNKNOWN"));
  EXPECT_STREQ(mooring_code_name(MOORING_CODE_INTERNAL + 1), "UNKNOWN");
  EXPECT_STREQ(mooring_code_name(UINT32_MAX), "UNKNOWN");
}

}  // namespace
}  // namespace mooring::conformance
