#include "testing/support/held_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "testing/support/kernel_probe.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

TEST(HeldFile, BlocksAWriterUntilItIsReleased) {
  SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", kUserfaultfdRemedy);
  const TempDir dir;
  HeldFile file(dir);
  std::atomic<bool> wrote{false};
  std::thread writer([&] {
    EXPECT_EQ(pwrite(file.fd(), "abc", 3, 0), 3);
    wrote = true;
  });
  EXPECT_TRUE(file.WaitForStuckWrite());
  EXPECT_FALSE(wrote.load());
  file.Release();
  writer.join();
  EXPECT_EQ(FileSize(file.fd()), 3u);
}

}  // namespace
}  // namespace mooring::conformance
