// require.h: skips that name what the machine lacks, and that MOORING_REQUIRE turns into failures.
//
// MOORING_REQUIRE is a list of features, separated by commas: "io_uring,memlock". A test that needs
// a feature declares it:
//
//   SKIP_WITHOUT(KernelHasUserfaultfd(), "userfaultfd",
//                "set sysctl vm.unprivileged_userfaultfd=1");
//
// Bazel counts a GoogleTest skip as passed, so without MOORING_REQUIRE a machine that lost a
// feature would go unnoticed.
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_REQUIRE_H_
#define MOORING_TESTING_SUPPORT_REQUIRE_H_

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace mooring::conformance {

// True when `list`, separated by commas, contains `feature`.
bool ListContains(std::string_view list, std::string_view feature);

// True when MOORING_REQUIRE contains `feature`.
bool IsRequired(std::string_view feature);

}  // namespace mooring::conformance

// Leaves the test when `has` is false: skipped, or failed where MOORING_REQUIRE contains `feature`.
#define SKIP_WITHOUT(has, feature, remedy)                                                        \
  do {                                                                                            \
    if (has) break;                                                                               \
    if (::mooring::conformance::IsRequired(feature)) {                                            \
      FAIL() << "MOORING_REQUIRE names " << (feature) << ", which is missing here: " << (remedy); \
    }                                                                                             \
    GTEST_SKIP() << "missing: " << (feature) << " (" << (remedy) << ")";                          \
  } while (false)

#endif  // MOORING_TESTING_SUPPORT_REQUIRE_H_
