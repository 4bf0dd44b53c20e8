#include "tools/moor/names.h"

#include <gtest/gtest.h>

#include <vector>

namespace moor {
namespace {

// Programs that read the JSON depend on the names: they must not change.
TEST(Names, MatchTheManual) {
  EXPECT_STREQ(EngineName(MOORING_ENGINE_IO_URING), "io_uring");
  EXPECT_STREQ(EngineName(MOORING_ENGINE_THREADS), "threads");
  const std::vector<const char*> engine_reasons = {"none",
                                                   "policy",
                                                   "memlock_limit",
                                                   "io_uring_denied",
                                                   "io_uring_disabled",
                                                   "io_uring_missing"};
  for (uint32_t number = 0; number < engine_reasons.size(); ++number) {
    EXPECT_STREQ(EngineReasonName(number), engine_reasons[number]);
  }
  const std::vector<const char*> reasons = {
      "none",       "policy",         "memlock_limit",   "out_of_memory",  "backing_refused",
      "table_full", "kernel_too_old", "register_denied", "engine_threads", "owner_thread"};
  for (uint32_t number = 0; number < reasons.size(); ++number) {
    EXPECT_STREQ(ReasonName(number), reasons[number]);
  }
  EXPECT_STREQ(OutcomeName(MOORING_OUTCOME_FIXED), "fixed");
  EXPECT_STREQ(OutcomeName(MOORING_OUTCOME_PARTIAL), "partial");
  EXPECT_STREQ(OutcomeName(MOORING_OUTCOME_COPY), "copy");
  EXPECT_STREQ(PolicyName(MOORING_POLICY_PREFER), "prefer");
  EXPECT_STREQ(PolicyName(MOORING_POLICY_REQUIRE), "require");
  EXPECT_STREQ(PolicyName(MOORING_POLICY_NEVER), "never");
}

TEST(Names, AreUnknownForUnknownValues) {
  EXPECT_STREQ(EngineName(99), "unknown");
  EXPECT_STREQ(EngineReasonName(99), "unknown");
  EXPECT_STREQ(PolicyName(99), "unknown");
  EXPECT_STREQ(OutcomeName(99), "unknown");
  EXPECT_STREQ(ReasonName(99), "unknown");
  EXPECT_STREQ(PageKindName(99), "unknown");
  EXPECT_STREQ(TransparentHugePagesName(99), "unknown");
}

}  // namespace
}  // namespace moor
