// require.h: skips that name what the machine lacks, and become failures where the environment says
// that it must not.
//
// MOORING_REQUIRE is a list of features, separated by commas: "io_uring,memlock". A test that needs
// a feature says so:
//
//   SKIP_WITHOUT(KernelHasUserfaultfd(), "userfaultfd", "set sysctl
//   vm.unprivileged_userfaultfd=1");
//
// Bazel counts a GoogleTest skip as passed, so a skip nobody looks at would hide a machine that
// lost a feature.
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_REQUIRE_H_
#define MOORING_TESTING_SUPPORT_REQUIRE_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mooring::conformance {

// True when `list`, separated by commas, holds `feature`.
bool ListNames(std::string_view list, std::string_view feature);

// True when MOORING_REQUIRE holds `feature`.
bool IsRequired(std::string_view feature);

}  // namespace mooring::conformance

// Leaves the test when `has` is false: skipped, or failed where MOORING_REQUIRE names `feature`.
#define SKIP_WITHOUT(has, feature, remedy)                                                        \
  do {                                                                                            \
    if (has) break;                                                                               \
    if (::mooring::conformance::IsRequired(feature)) {                                            \
      FAIL() << "MOORING_REQUIRE names " << (feature) << ", which is missing here: " << (remedy); \
    }                                                                                             \
    GTEST_SKIP() << "missing: " << (feature) << " (" << (remedy) << ")";                          \
  } while (false)

#endif  // MOORING_TESTING_SUPPORT_REQUIRE_H_
