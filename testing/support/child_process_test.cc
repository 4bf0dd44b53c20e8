#include "testing/support/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>

namespace mooring::conformance {
namespace {

TEST(RunInChild, ReturnsTheTextOfTheBody) {
  const ChildResult quiet = RunInChild([] { return std::string(); });
  EXPECT_TRUE(quiet.exited);
  EXPECT_EQ(quiet.complaint, "");
  const std::string long_text(100'000, 'x');  // more than a pipe holds
  EXPECT_EQ(RunInChild([&] { return long_text; }).complaint, long_text);
}

TEST(RunInChild, ReportsSignalAndStatusOfAFailedChild) {
  const ChildResult killed = RunInChild([]() -> std::string {
    raise(SIGKILL);
    return "";
  });
  EXPECT_FALSE(killed.exited);
  EXPECT_NE(killed.complaint.find("signal 9"), std::string::npos) << killed.complaint;
  const ChildResult failed = RunInChild([]() -> std::string { _exit(3); });
  EXPECT_FALSE(failed.exited);
  EXPECT_NE(failed.complaint.find("status 3"), std::string::npos) << failed.complaint;
}

}  // namespace
}  // namespace mooring::conformance
