#include "cpp/os/memlock_ledger.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "testing/support/child_process.h"

namespace mooring {
namespace {

using conformance::RunInChild;

// Each test runs in a child, where the ledger is empty and records no release.
void RunInNewProcess(const std::function<std::string()>& body) {
  const conformance::ChildResult child = RunInChild(body);
  EXPECT_EQ(child.complaint, "");
  EXPECT_TRUE(child.exited);
}

std::string Holds(uint64_t expected) {
  const uint64_t used = MemlockLedger::used_bytes();
  return used == expected ? "" : std::to_string(used) + " instead of " + std::to_string(expected);
}

TEST(MemlockLedger, SumsChargesAndReleases) {
  RunInNewProcess([]() -> std::string {
    if (std::string wrong = Holds(0); !wrong.empty()) return wrong;
    MemlockLedger::Charge(4096);
    MemlockLedger::Charge(uint64_t{1} << 40);
    if (std::string wrong = Holds((uint64_t{1} << 40) + 4096); !wrong.empty()) return wrong;
    MemlockLedger::Release(uint64_t{1} << 40);
    return Holds(4096);
  });
}

TEST(MemlockLedger, NeverFallsBelowZero) {
  RunInNewProcess([]() -> std::string {
    MemlockLedger::Charge(4096);
    MemlockLedger::Release(8192);
    if (std::string wrong = Holds(0); !wrong.empty()) return wrong;
    MemlockLedger::Charge(100);
    return Holds(100);
  });
}

TEST(MemlockLedger, StaysAtItsMaximumAndDoesNotWrap) {
  RunInNewProcess([]() -> std::string {
    MemlockLedger::Charge(UINT64_MAX);
    MemlockLedger::Charge(UINT64_MAX);
    return MemlockLedger::used_bytes() >= uint64_t{1} << 47 ? "" : Holds(UINT64_MAX);
  });
}

TEST(MemlockLedger, StartsEmptyInAForkChildAndKeepsTheParentsSum) {
  RunInNewProcess([]() -> std::string {
    MemlockLedger::Charge(4096);
    const conformance::ChildResult child = RunInChild([]() -> std::string {
      if (std::string wrong = Holds(0); !wrong.empty()) return wrong;
      MemlockLedger::Release(4096);  // an inherited object must not reduce the child's sum
      if (std::string wrong = Holds(0); !wrong.empty()) return wrong;
      MemlockLedger::Charge(10);
      return Holds(10);
    });
    return child.complaint.empty() ? Holds(4096) : child.complaint;
  });
}

// Four threads charge at the same time; 4000 bytes remain.
void ChargeFromThreads() {
  constexpr int kThreads = 4;
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&ready] {
      ready.fetch_add(1);
      while (ready.load() < kThreads) std::this_thread::yield();
      for (int n = 0; n < 1000; ++n) MemlockLedger::Charge(3);
      for (int n = 0; n < 1000; ++n) MemlockLedger::Release(2);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(MemlockLedger, LosesNoChargeOfTheFirstThreadsInAForkChild) {
  for (int round = 0; round < 20; ++round) {
    RunInNewProcess([]() -> std::string {
      MemlockLedger::Charge(4096);
      const conformance::ChildResult child = RunInChild([]() -> std::string {
        ChargeFromThreads();
        return Holds(4000);
      });
      return child.complaint.empty() ? Holds(4096) : child.complaint;
    });
  }
}

TEST(MemlockLedger, ExpectsReturnedBudgetOnlyAfterARelease) {
  RunInNewProcess([]() -> std::string {
    if (MemlockLedger::ReturnIsPending()) return "before any release";
    MemlockLedger::Charge(4096);
    if (MemlockLedger::ReturnIsPending()) return "after a charge";
    MemlockLedger::Release(0);
    if (MemlockLedger::ReturnIsPending()) return "after a release of 0 bytes";
    MemlockLedger::Release(4096);
    return MemlockLedger::ReturnIsPending() ? "" : "not after a release";
  });
}

TEST(MemlockLedger, CountsReleases) {
  RunInNewProcess([]() -> std::string {
    const uint64_t before = MemlockLedger::return_count();
    MemlockLedger::Charge(4096);
    MemlockLedger::Release(0);
    if (MemlockLedger::return_count() != before) return "counted before a release";
    MemlockLedger::Release(4096);
    return MemlockLedger::return_count() == before + 1 ? "" : "not counted";
  });
}

TEST(MemlockBackoff, DoesNotWaitWithoutARelease) {
  RunInNewProcess([]() -> std::string {
    MemlockBackoff backoff;
    return backoff.Wait() ? "waited" : "";
  });
}

TEST(MemlockBackoff, WaitsLongerEachTimeUpToALimit) {
  RunInNewProcess([]() -> std::string {
    MemlockLedger::Charge(1);
    MemlockLedger::Release(1);
    MemlockBackoff backoff;
    const int64_t start = MonotonicNow();
    int tries = 0;
    while (backoff.Wait()) ++tries;
    const int64_t waited = MonotonicNow() - start;
    // Kernels up to 6.3 need more than a second: one second was too short on 5.10 and 6.1.
    if (waited < 1'400'000'000) return "gave up after " + std::to_string(waited) + " ns";
    // The pause doubles from 0.5 ms up to 64 ms. A fixed pause of 0.5 ms would make 2000 tries.
    return tries >= 3 && tries <= 30 ? "" : std::to_string(tries) + " tries";
  });
}

}  // namespace
}  // namespace mooring
