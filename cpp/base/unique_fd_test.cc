#include "cpp/base/unique_fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <type_traits>
#include <utility>

namespace mooring {
namespace {

int OpenNull() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

TEST(UniqueFd, ClosesItsDescriptor) {
  const int fd = OpenNull();
  {
    const UniqueFd owner(fd);
    EXPECT_TRUE(owner.valid());
    EXPECT_EQ(owner.get(), fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFd, IsInvalidByDefault) {
  const UniqueFd nothing;
  EXPECT_FALSE(nothing.valid());
  EXPECT_EQ(nothing.get(), -1);
  EXPECT_FALSE(UniqueFd(-1).valid());
}

TEST(UniqueFd, OwnsDescriptorZeroToo) {
  UniqueFd zero(0);
  EXPECT_TRUE(zero.valid());
  EXPECT_EQ(zero.Release(), 0);
}

TEST(UniqueFd, ReleaseLeavesItOpen) {
  UniqueFd owner(OpenNull());
  const int fd = owner.Release();
  EXPECT_FALSE(owner.valid());
  EXPECT_TRUE(IsOpen(fd));
  EXPECT_EQ(::close(fd), 0);
}

TEST(UniqueFd, ResetClosesThePreviousDescriptor) {
  const int first = OpenNull();
  const int second = OpenNull();
  UniqueFd owner(first);
  owner.Reset(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_TRUE(IsOpen(second));
  owner.Reset();
  EXPECT_FALSE(IsOpen(second));
  EXPECT_FALSE(owner.valid());
}

TEST(UniqueFd, MovesOwnership) {
  static_assert(!std::is_copy_constructible_v<UniqueFd> && !std::is_copy_assignable_v<UniqueFd>);
  const int first = OpenNull();
  const int second = OpenNull();
  UniqueFd owner(first);
  UniqueFd taker(std::move(owner));
  EXPECT_FALSE(owner.valid());  // NOLINT: moved from on purpose
  EXPECT_EQ(taker.get(), first);
  taker = UniqueFd(second);
  EXPECT_FALSE(IsOpen(first));
  EXPECT_EQ(taker.get(), second);
  UniqueFd& same = taker;
  taker = std::move(same);
  EXPECT_TRUE(IsOpen(second));
}

}  // namespace
}  // namespace mooring
