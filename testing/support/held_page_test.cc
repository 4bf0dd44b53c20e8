#include "testing/support/held_page.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "testing/support/kernel_probe.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

TEST(HeldPage, BlocksAWriterUntilItIsReleased) {
  SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", kUserfaultfdRemedy);
  HeldPage page;
  std::atomic<bool> wrote{false};
  std::thread writer([&] {
    *static_cast<volatile char*>(page.data()) = 1;
    wrote = true;
  });
  EXPECT_TRUE(page.WaitForUse());
  EXPECT_FALSE(wrote.load());
  page.Release();
  writer.join();
  EXPECT_EQ(*static_cast<char*>(page.data()), 1);
}

}  // namespace
}  // namespace mooring::conformance
