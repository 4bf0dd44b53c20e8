#include "cpp/slabs/free_bitmap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "cpp/base/deadline.h"
#include "cpp/slabs/testing/test_random.h"

namespace mooring {
namespace {

constexpr uint32_t kNone = FreeBitmap::kNone;

// The simplest implementation of a FreeBitmap for one thread.
class Model {
 public:
  explicit Model(uint32_t buffer_count) : taken_(buffer_count) {}

  uint32_t Claim(uint32_t count) {
    uint32_t length = 0;
    for (uint32_t index = 0; index < taken_.size(); ++index) {
      length = taken_[index] ? 0 : length + 1;
      if (length < count) continue;
      Set({index + 1 - count, count}, true);
      return index + 1 - count;
    }
    return kNone;
  }
  void Return(BufferRun run) { Set(run, false); }
  uint32_t CountFree() const {
    return static_cast<uint32_t>(std::count(taken_.begin(), taken_.end(), false));
  }
  uint32_t NextTaken(uint32_t from) const {
    while (from < taken_.size() && !taken_[from]) ++from;
    return from;
  }

 private:
  void Set(BufferRun run, bool taken) {
    for (uint32_t i = 0; i < run.buffer_count; ++i) taken_[run.first_index + i] = taken;
  }

  std::vector<bool> taken_;
};

class FreeBitmapOfSize : public ::testing::TestWithParam<uint32_t> {};

// Sizes around each border: a word, 64 words (one summary word), 512 words (a block of lines), 64 *
// 64 words.
INSTANTIATE_TEST_SUITE_P(Sizes, FreeBitmapOfSize,
                         ::testing::Values(1, 2, 31, 32, 33, 64, 65, 300, 2047, 2048, 2049, 16384,
                                           16417, 131073));

TEST_P(FreeBitmapOfSize, ClaimsEveryBufferOnceInAscendingOrder) {
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(GetParam());
  for (uint32_t index = 0; index < GetParam(); ++index) ASSERT_EQ(bitmap->Claim(1), index);
  EXPECT_EQ(bitmap->Claim(1), kNone);
  EXPECT_EQ(bitmap->CountFree(), 0u);
}

TEST_P(FreeBitmapOfSize, ClaimsAllBuffersAsOneRunAndNoLongerRun) {
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(GetParam());
  EXPECT_EQ(bitmap->Claim(GetParam() + 1), kNone);
  EXPECT_EQ(bitmap->Claim(GetParam()), 0u);
  EXPECT_EQ(bitmap->Claim(1), kNone);
  bitmap->Return({0, GetParam()});
  EXPECT_EQ(bitmap->CountFree(), GetParam());
  EXPECT_EQ(bitmap->Claim(GetParam()), 0u);
}

TEST_P(FreeBitmapOfSize, FindsTheOnlyFreeBuffer) {
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(GetParam());
  ASSERT_EQ(bitmap->Claim(GetParam()), 0u);
  TestRandom random;
  for (int turn = 0; turn < 300; ++turn) {
    const uint32_t index = random.Below(GetParam());
    bitmap->Return({index, 1});
    ASSERT_EQ(bitmap->Claim(2), kNone);
    ASSERT_EQ(bitmap->Claim(1), index);
    ASSERT_EQ(bitmap->Claim(1), kNone);
  }
}

TEST_P(FreeBitmapOfSize, ClaimsTheLowestRunUnderRandomOperations) {
  TestRandom random;
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(GetParam());
  Model model(GetParam());
  std::vector<BufferRun> runs;
  const uint32_t longest = std::min(GetParam() + 1, 200u);
  // Turns alternate between mostly claims and mostly returns, so the bitmap is almost full at times
  // and almost empty at others.
  const int turns = GetParam() > 20000 ? 80 : GetParam() > 4096 ? 400 : 5000;
  for (int turn = 0; turn < turns; ++turn) {
    const uint32_t claims_of_10 = turn / (turns / 4) % 2 == 0 ? 8 : 3;
    if (runs.empty() || random.Below(10) < claims_of_10) {
      const uint32_t count = 1 + (random.Below(3) == 0 ? random.Below(longest) : 0);
      const uint32_t first = bitmap->Claim(count);
      ASSERT_EQ(first, model.Claim(count)) << "turn " << turn << ", count " << count;
      if (first != kNone) runs.push_back({first, count});
    } else {
      std::swap(runs[random.Below(static_cast<uint32_t>(runs.size()))], runs.back());
      BufferRun run = runs.back();
      runs.pop_back();
      // Sometimes return only the first part.
      const uint32_t kept =
          run.buffer_count > 1 && random.Below(4) == 0 ? random.Below(run.buffer_count) : 0;
      run.buffer_count -= kept;
      if (kept > 0) runs.push_back({run.first_index + run.buffer_count, kept});
      bitmap->Return(run);
      model.Return(run);
    }
    ASSERT_EQ(bitmap->CountFree(), model.CountFree()) << "turn " << turn;
    const uint32_t from = random.Below(GetParam());
    ASSERT_EQ(bitmap->NextTaken(from), model.NextTaken(from))
        << "turn " << turn << ", from " << from;
  }
}

TEST(FreeBitmap, FindsRunsAcrossWords) {
  for (uint32_t first = 0; first < 140; ++first) {
    for (const uint32_t count : {2u, 31u, 32u, 33u, 64u, 100u, 129u}) {
      const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(300);
      ASSERT_EQ(bitmap->Claim(300), 0u);
      bitmap->Return({first, count});
      ASSERT_EQ(bitmap->Claim(count + 1), kNone) << first << " + " << count;
      ASSERT_EQ(bitmap->Claim(count), first) << first << " + " << count;
    }
  }
}

TEST(FreeBitmap, HasRoomForTheMaximumOfBuffers) {
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(FreeBitmap::kBufferCountMax);
  ASSERT_EQ(bitmap->Claim(FreeBitmap::kBufferCountMax), 0u);
  EXPECT_EQ(bitmap->Claim(1), kNone);
  bitmap->Return({FreeBitmap::kBufferCountMax - 1, 1});
  EXPECT_EQ(bitmap->NextTaken(FreeBitmap::kBufferCountMax - 1), FreeBitmap::kBufferCountMax);
  EXPECT_EQ(bitmap->Claim(1), FreeBitmap::kBufferCountMax - 1);
}

// Counts how often a buffer has two owners.
class Owners {
 public:
  explicit Owners(uint32_t buffer_count) : owned_(buffer_count) {}

  void Take(BufferRun run) {
    for (uint32_t i = 0; i < run.buffer_count; ++i) {
      if (owned_[run.first_index + i].exchange(true, std::memory_order_relaxed)) ++clashes;
    }
  }
  void Drop(BufferRun run) {
    for (uint32_t i = 0; i < run.buffer_count; ++i) {
      if (!owned_[run.first_index + i].exchange(false, std::memory_order_relaxed)) ++clashes;
    }
  }

  std::atomic<uint64_t> clashes{0};

 private:
  std::vector<std::atomic<bool>> owned_;
};

template <typename Body>
void RunThreads(uint32_t thread_count, Body body) {
  std::atomic<uint32_t> ready{0};
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < thread_count; ++i) {
    threads.emplace_back([&, i] {
      ++ready;
      while (ready < thread_count) std::this_thread::yield();
      body(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Small counts, with which runs of threads often overlap, and counts that need summary words.
class FreeBitmapUnderThreads : public ::testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Sizes, FreeBitmapUnderThreads, ::testing::Values(32, 70, 300, 5000));

TEST_P(FreeBitmapUnderThreads, ClaimsNoBufferTwiceAndLosesNone) {
  const uint32_t buffer_count = GetParam();
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(buffer_count);
  Owners owners(buffer_count);
  TestRandom seeds;
  const Deadline deadline = Deadline::After(300'000'000);
  RunThreads(4, [&](uint32_t thread) {
    TestRandom random(seeds.seed() + thread);
    std::vector<BufferRun> runs;
    for (uint32_t turn = 0; turn % 256 != 0 || !deadline.Passed(); ++turn) {
      if (runs.size() < 6 && random.Below(2) == 0) {
        const uint32_t count =
            1 + (random.Below(2) == 0 ? random.Below(std::min(buffer_count, 100u)) : 0);
        const uint32_t first = bitmap->Claim(count);
        if (first == kNone) continue;
        runs.push_back({first, count});
        owners.Take(runs.back());
      } else if (!runs.empty()) {
        std::swap(runs[random.Below(static_cast<uint32_t>(runs.size()))], runs.back());
        owners.Drop(runs.back());
        bitmap->Return(runs.back());
        runs.pop_back();
      }
    }
    for (const BufferRun& run : runs) {
      owners.Drop(run);
      bitmap->Return(run);
    }
  });
  EXPECT_EQ(owners.clashes, 0u);
  EXPECT_EQ(bitmap->CountFree(), buffer_count);
  EXPECT_EQ(bitmap->Claim(buffer_count), 0u);
}

// The parameter is the number of buffers of each claim.
class FreeBitmapWithRunsOf : public ::testing::TestWithParam<uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Counts, FreeBitmapWithRunsOf, ::testing::Values(1, 2, 40));

TEST_P(FreeBitmapWithRunsOf, NeverReturnsNoneIfEachThreadHasAFreeRun) {
  constexpr uint32_t kThreads = 4;
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(8192);
  ASSERT_EQ(bitmap->Claim(8192), 0u);
  // In different words, two of them under different summary words.
  for (const uint32_t index : {5u, 80u, 3000u, 8192 - GetParam()})
    bitmap->Return({index, GetParam()});
  std::atomic<uint32_t> failures{0};
  const Deadline deadline = Deadline::After(700'000'000);
  RunThreads(kThreads, [&](uint32_t) {
    for (uint32_t turn = 0; turn % 256 != 0 || !deadline.Passed(); ++turn) {
      const uint32_t first = bitmap->Claim(GetParam());
      if (first == kNone) {
        ++failures;
      } else {
        bitmap->Return({first, GetParam()});
      }
    }
  });
  EXPECT_EQ(failures, 0u);
  EXPECT_EQ(bitmap->CountFree(), kThreads * GetParam());
}

TEST(FreeBitmap, ClaimsLowestBuffersAgainSoonAfterARaceHasSpreadClaims) {
  const std::unique_ptr<FreeBitmap> bitmap = FreeBitmap::Create(4096);
  RunThreads(4, [&](uint32_t) {
    for (int turn = 0; turn < 20000; ++turn) bitmap->Return({bitmap->Claim(1), 1});
  });
  int turns = 0;
  for (uint32_t first = kNone; first != 0 && turns < 100'000; ++turns) {
    first = bitmap->Claim(1);
    bitmap->Return({first, 1});
  }
  EXPECT_LT(turns, 10'000);
  // From then on it claims in ascending order.
  for (uint32_t index = 0; index < 4096; ++index) ASSERT_EQ(bitmap->Claim(1), index);
}

}  // namespace
}  // namespace mooring
