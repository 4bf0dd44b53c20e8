// eventually.h: waits for a condition, with a deadline, where no descriptor or call reports it (a
// mapping that disappears, a counter in /proc). It checks the condition every millisecond, so a
// test waits no longer than the condition takes.
//
//   EXPECT_TRUE(Eventually([&] { return !IsMapped(data); }));
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_EVENTUALLY_H_
#define MOORING_TESTING_SUPPORT_EVENTUALLY_H_

#include <time.h>

#include <chrono>
#include <cstdint>

namespace mooring::conformance {

// The deadline for everything that must happen: enough for a loaded machine under a sanitizer.
inline constexpr std::chrono::seconds kPatience{20};
inline constexpr int64_t kPatienceNs = std::chrono::nanoseconds(kPatience).count();

// How long a test waits to show that something does NOT happen. A longer wait shows more, but every
// such test takes that time in full. It is never the proof that something did happen.
inline constexpr int64_t kQuietNs = 20'000'000;

template <typename Condition>
bool Eventually(Condition condition, std::chrono::nanoseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    nanosleep(&pause, nullptr);
  }
  return true;
}

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_EVENTUALLY_H_
