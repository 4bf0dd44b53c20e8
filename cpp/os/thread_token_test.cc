#include "cpp/os/thread_token.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace mooring {
namespace {

TEST(ThreadTokenTest, DoesNotChangeOnAThread) { EXPECT_EQ(CurrentThread(), CurrentThread()); }

TEST(ThreadTokenTest, IsNotReusedAfterAThreadHasEnded) {
  constexpr size_t kThreads = 200;  // most of them have the same pthread_t in glibc
  std::set<ThreadToken> seen = {CurrentThread()};
  for (size_t i = 0; i < kThreads; ++i) std::thread([&] { seen.insert(CurrentThread()); }).join();
  EXPECT_EQ(seen.size(), kThreads + 1);
}

}  // namespace
}  // namespace mooring
