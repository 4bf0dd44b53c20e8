#include "cpp/ring/record_pool.h"

#include <gtest/gtest.h>

#include <thread>

namespace mooring {
namespace {

TEST(RecordPool, ARecordBelongsToOneOperationAtATime) {
  RecordPool pool(3);
  EXPECT_EQ(pool.FreeCount(), 3u);
  const uint32_t a = pool.Take();
  const uint32_t b = pool.Take();
  const uint32_t c = pool.Take();
  EXPECT_TRUE(a != b && b != c && a != c);
  EXPECT_EQ(pool.FreeCount(), 0u);
  pool.Retire(b);
  pool.Return(b);
  pool.PublishReturned();
  EXPECT_EQ(pool.FreeCount(), 1u);
  EXPECT_EQ(pool.Take(), b);
}

TEST(RecordPool, AGenerationIsOddInFlightAndNewForEachOperation) {
  RecordPool pool(1);
  const uint32_t index = pool.Take();
  const uint64_t first = RecordPool::TokenOf(index, pool[index].generation.load());
  EXPECT_EQ(pool[index].generation.load() & 1, 1u);
  pool.Retire(index);
  EXPECT_EQ(pool[index].generation.load() & 1, 0u);
  pool.Return(index);
  pool.PublishReturned();
  ASSERT_EQ(pool.FreeCount(), 1u);
  EXPECT_EQ(pool.Take(), index);
  EXPECT_NE(RecordPool::TokenOf(index, pool[index].generation.load()), first);
  EXPECT_EQ(RecordPool::IndexOf(first), index);
  EXPECT_EQ(first >> 62, 0u);
}

TEST(RecordPool, ATokenKeeps30BitsOfTheGeneration) {
  EXPECT_EQ(RecordPool::TokenOf(5, 0xffffffff), (uint64_t{0x3fffffff} << 32) | 5);
  EXPECT_EQ(RecordPool::TokenOf(UINT32_MAX, 1), (uint64_t{1} << 32) | UINT32_MAX);
  EXPECT_EQ(RecordPool::TokenOf(5, 1), RecordPool::TokenOf(5, 1 + (1u << 30)));
  EXPECT_EQ(RecordPool::TokenOf(5, 0xffffffff) & (kBufferTagBit | kDetachedToken), 0u);
}

TEST(RecordPool, UndoTakeReturnsRecordsInReverse) {
  RecordPool pool(4);
  const uint32_t a = pool.Take();
  const uint32_t b = pool.Take();
  pool.UndoTake(b);
  pool.UndoTake(a);
  EXPECT_EQ(pool.FreeCountNow(), 4u);
  EXPECT_EQ(pool.Take(), a);
}

TEST(RecordPool, TakesAndReturnsOnTwoThreads) {
  RecordPool pool(8);
  constexpr uint32_t kRounds = 100'000;
  std::atomic<uint64_t> handed{0};  // index + 1 of one record at a time, in place of an engine
  std::thread giver([&] {
    for (uint32_t i = 0; i < kRounds; ++i) {
      uint64_t index = 0;
      while ((index = handed.exchange(0, std::memory_order_acquire)) == 0)
        std::this_thread::yield();
      EXPECT_EQ(pool[static_cast<uint32_t>(index - 1)].size, i);
      pool.Retire(static_cast<uint32_t>(index - 1));
      pool.Return(static_cast<uint32_t>(index - 1));
      pool.PublishReturned();
    }
  });
  for (uint32_t i = 0; i < kRounds; ++i) {
    while (pool.FreeCount() == 0) std::this_thread::yield();
    const uint32_t index = pool.Take();
    pool[index].size = i;
    uint64_t expected = 0;
    while (!handed.compare_exchange_weak(expected, index + 1, std::memory_order_release)) {
      expected = 0;
      std::this_thread::yield();
    }
  }
  giver.join();
  EXPECT_EQ(pool.FreeCountNow(), 8u);
}

}  // namespace
}  // namespace mooring
