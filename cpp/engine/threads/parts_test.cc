// Unit tests of the parts of the threads engine: task pool, timers, queues, file table, cached
// reads.

#include <gtest/gtest.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"
#include "cpp/engine/threads/cached_reads.h"
#include "cpp/engine/threads/event_queue.h"
#include "cpp/engine/threads/file_table.h"
#include "cpp/engine/threads/ready_queue.h"
#include "cpp/engine/threads/task_pool.h"
#include "cpp/engine/threads/timers.h"

namespace mooring {
namespace {

Task* FindIn(TaskPool& pool, uint64_t token) {
  Task* found = nullptr;
  pool.Find(token, [&](Task& task, uint32_t) {
    found = &task;
    return true;
  });
  return found;
}

void FreeTask(TaskPool& pool, Task* task) {
  task->word.store(Task::WithState(task->word.load(), TaskState::kFree));
  pool.Free(task->index);
  pool.PublishFreed();
}

TEST(ThreadsTaskPool, HandsOutEachTaskOnceAndAgainAfterFree) {
  TaskPool pool;
  ASSERT_TRUE(pool.Create(5).ok());
  for (int round = 0; round < 3; ++round) {
    pool.CollectFreed();
    std::vector<Task*> tasks;
    for (uint64_t i = 0; i < 5; ++i) tasks.push_back(pool.Take(As(i, Nop()), TaskState::kRunning));
    std::vector<Task*> sorted = tasks;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (Task* task : tasks) FreeTask(pool, task);
  }
}

TEST(ThreadsTaskPool, FindsOnlyTasksInFlight) {
  TaskPool pool;
  ASSERT_TRUE(pool.Create(8).ok());
  Task* const first = pool.Take(As(8, Nop()), TaskState::kHeld);
  Task* const second = pool.Take(As(16, Nop()), TaskState::kHeld);  // the same low bits
  EXPECT_EQ(FindIn(pool, 8), first);
  EXPECT_EQ(FindIn(pool, 16), second);
  EXPECT_EQ(FindIn(pool, 24), nullptr);
  FreeTask(pool, second);
  EXPECT_EQ(FindIn(pool, 16), nullptr);
  EXPECT_EQ(FindIn(pool, 8), first);
}

TEST(ThreadsTaskPool, AWordOfAnEarlierUseChangesNoState) {
  TaskPool pool;
  ASSERT_TRUE(pool.Create(1).ok());
  Task* const task = pool.Take(As(1, Nop()), TaskState::kQueued);
  const uint32_t seen = task->word.load();
  FreeTask(pool, task);
  pool.CollectFreed();
  ASSERT_EQ(pool.Take(As(2, Nop()), TaskState::kQueued), task);
  EXPECT_FALSE(task->MoveFrom(seen, TaskState::kQueuedCancelled));
  EXPECT_EQ(task->state(), TaskState::kQueued);
}

TEST(ThreadsTaskPoolDeathTest, MoreInFlightThanTasksFailsACheck) {
  TaskPool pool;
  ASSERT_TRUE(pool.Create(1).ok());
  pool.Take(Nop(), TaskState::kRunning);
  EXPECT_DEATH(pool.Take(Nop(), TaskState::kRunning), "check failed");
}

TEST(ThreadsTimers, ExpireInOrderAfterRandomAddsAndRemoves) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  constexpr uint32_t kCount = 200;
  for (int round = 0; round < 50; ++round) {
    TaskPool pool;
    ASSERT_TRUE(pool.Create(kCount).ok());
    Timers timers;
    ASSERT_TRUE(timers.Create(kCount).ok());
    struct Expected {
      int64_t at;
      Task* task;
    };
    std::vector<Expected> expected;
    for (uint32_t i = 0; i < kCount; ++i) {
      Task* const task = pool.Take(As(i, Nop()), TaskState::kRunning);
      const int64_t at = 1 + random() % 50;
      const bool earliest =
          std::all_of(expected.begin(), expected.end(), [&](auto& e) { return at < e.at; });
      EXPECT_EQ(timers.Add(task, at),
                earliest ? Timers::AddResult::kEarliest : Timers::AddResult::kLater);
      expected.push_back({at, task});
    }
    for (int i = 0; i < 60; ++i) {
      const size_t victim = random() % expected.size();
      Task* const task = expected[victim].task;
      ASSERT_TRUE(timers.Remove(task, task->word.load()));
      EXPECT_EQ(task->state(), TaskState::kRunning);
      expected.erase(expected.begin() + static_cast<ptrdiff_t>(victim));
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [](auto& a, auto& b) { return a.at < b.at; });
    EXPECT_EQ(timers.earliest_ns(), expected.front().at);
    size_t next = 0;
    for (int64_t now = 0; now <= 50; now += 5) {
      TaskList expired;
      timers.PopExpired(now, expired);
      while (Task* const task = expired.PopFront()) {
        ASSERT_LT(next, expected.size());
        EXPECT_LE(expected[next].at, now);
        EXPECT_EQ(task, expected[next++].task);
      }
    }
    EXPECT_EQ(next, expected.size());
    EXPECT_EQ(timers.earliest_ns(), Timers::kNever);
  }
}

TEST(ThreadsTimers, ACancelledTaskIsNotAdded) {
  TaskPool pool;
  ASSERT_TRUE(pool.Create(1).ok());
  Timers timers;
  ASSERT_TRUE(timers.Create(1).ok());
  Task* const task = pool.Take(Nop(), TaskState::kRunning);
  ASSERT_TRUE(task->Move(TaskState::kRunning, TaskState::kRunningCancelled));
  EXPECT_EQ(timers.Add(task, 1), Timers::AddResult::kCancelled);
  EXPECT_EQ(timers.earliest_ns(), Timers::kNever);
}

class ThreadsReadyQueue : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(pool_.Create(64).ok()); }
  void Push(const Request& request, int count) {
    TaskList tasks;
    for (int i = 0; i < count; ++i) tasks.PushBack(pool_.Take(request, TaskState::kQueued));
    queue_.Push(tasks);
    EXPECT_TRUE(tasks.empty());
  }
  TaskPool pool_;
  ReadyQueue queue_;
  Task* batch_[8] = {};
};

TEST_F(ThreadsReadyQueue, BatchesOfBriefTasksShrinkTowardsTheEnd) {
  queue_.SetWorkers(2, 2);
  Push(ReadAt(0, 0, nullptr, 4096), 20);
  std::vector<uint32_t> shares;
  for (uint32_t taken = 0; taken < 20; taken += shares.back()) shares.push_back(queue_.Pop(batch_));
  EXPECT_EQ(shares, std::vector<uint32_t>({5, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1}));
}

TEST_F(ThreadsReadyQueue, ATaskThatMayWaitLongIsTakenAlone) {
  queue_.SetWorkers(1, 1);
  Push(ReadAt(0, 0, nullptr, 4096), 1);
  Push(ReadOf(0, nullptr, 4096), 2);
  Push(ReadAt(0, 0, nullptr, 1 << 20), 2);
  Push({.opcode = Opcode::kFsync}, 10);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(queue_.Pop(batch_), 1u) << i;
}

TEST_F(ThreadsReadyQueue, ARemovedTaskIsNotPopped) {
  Push(Nop(), 3);
  Task* const middle = &pool_[1];
  EXPECT_FALSE(queue_.Remove(middle, middle->word.load() + 1)) << "another word: another request";
  EXPECT_TRUE(queue_.Remove(middle, middle->word.load()));
  EXPECT_FALSE(queue_.Remove(middle, middle->word.load()));
  EXPECT_EQ(queue_.Pop(batch_), 1u);
  EXPECT_EQ(batch_[0], &pool_[0]);
  EXPECT_EQ(queue_.Pop(batch_), 1u);
  EXPECT_EQ(batch_[0], &pool_[2]);
}

TEST_F(ThreadsReadyQueue, StopEndsEveryPop) {
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      Task* batch[8];
      while (queue_.Pop(batch) > 0) {
      }
    });
  }
  Push(Nop(), 10);
  queue_.Stop();
  for (std::thread& worker : workers) worker.join();
  EXPECT_TRUE(queue_.stopped());
}

TEST(ThreadsEventQueue, ManyProducersLoseNoEventAndKeepTheirOrder) {
  constexpr uint64_t kEach = 20'000;
  constexpr uint64_t kProducers = 4;
  constexpr uint64_t kCapacity = 64;
  TaskPool pool;
  ASSERT_TRUE(pool.Create(kCapacity).ok());
  EventQueue queue(pool);
  ASSERT_TRUE(queue.Create().ok());
  std::atomic<uint64_t> free_slots{kCapacity};
  std::vector<std::thread> producers;
  for (uint64_t p = 0; p < kProducers; ++p) {
    producers.emplace_back([&, p] {
      for (uint64_t i = 0; i < kEach;) {
        uint64_t have = free_slots.load();
        const uint64_t want = std::min<uint64_t>({1 + i % 3, kEach - i});
        if (have < want || !free_slots.compare_exchange_strong(have, have - want)) {
          std::this_thread::yield();
          continue;
        }
        Event events[3];
        for (uint64_t j = 0; j < want; ++j) events[j] = Event{p << 32 | i++, 0, 0};
        queue.Publish(std::span<const Event>(events, want));
      }
    });
  }
  std::vector<uint64_t> next(kProducers, 0);
  Event events[16];
  for (uint64_t got = 0; got < kEach * kProducers;) {
    const uint32_t count = queue.Reap(
        events, static_cast<uint32_t>(std::min<uint64_t>(3, kEach * kProducers - got)), Patience());
    ASSERT_GT(count, 0u);
    for (uint32_t i = 0; i < count; ++i)
      EXPECT_EQ(static_cast<uint32_t>(events[i].token), next[events[i].token >> 32]++);
    free_slots += count;
    got += count;
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(queue.published(), kEach * kProducers);
}

TEST(ThreadsFileTable, KeepsAFileUntilItsLastRelease) {
  FileTable table;
  ASSERT_TRUE(table.Create(1, 2).ok());
  for (int round = 0; round < 10; ++round) {
    Pipe pipe;
    ASSERT_EQ(table.Set(0, pipe.write_end.get()), 0);
    pipe.write_end.Reset();
    FixedFile* const one = table.Acquire(0);
    FixedFile* const two = table.Acquire(0);
    ASSERT_EQ(one, two);
    EXPECT_EQ(table.Close(0), 0);
    EXPECT_EQ(table.Acquire(0), nullptr);
    table.Release(one);
    EXPECT_EQ(write(two->fd, "x", 1), 1);
    table.Release(two);
    char data[2];
    EXPECT_EQ(read(pipe.read_end.get(), data, 2), 1);
    EXPECT_EQ(read(pipe.read_end.get(), data, 2), 0) << "its last descriptor is closed";
  }
}

TEST(ThreadsFileTable, ReportsTheErrnoOfTheKernel) {
  FileTable none;
  ASSERT_TRUE(none.Create(0, 8).ok());
  EXPECT_EQ(none.Set(0, 0), -ENXIO);
  EXPECT_EQ(none.Close(0), -ENXIO);
  FileTable table;
  ASSERT_TRUE(table.Create(2, 8).ok());
  EXPECT_EQ(table.Set(2, 0), -EINVAL);
  EXPECT_EQ(table.Set(0, -2), -EBADF);
  EXPECT_EQ(table.Set(0, 999'999), -EBADF);
  EXPECT_EQ(table.Set(0, -1), 0);
  EXPECT_EQ(table.Close(0), -EBADF);
  EXPECT_EQ(table.Acquire(2), nullptr);
  EXPECT_EQ(table.Acquire(-1), nullptr);
}

// Some file systems do not take RWF_NOWAIT (tmpfs before Linux 6.6).
bool TakesNowait(int fd) {
  char byte = 0;
  const iovec range = {&byte, 1};
  return preadv2(fd, &range, 1, 0, RWF_NOWAIT) == 1;
}

TEST(ThreadsCachedReads, AcceptsOnlyFullReads) {
  const std::vector<char> bytes = Bytes(10'000);
  const TempFile file(bytes);
  SKIP_UNLESS(TakesNowait(file.fd()), "RWF_NOWAIT");
  CachedReads reads;
  reads.BeginBatch(false);
  std::vector<char> data(10'000);
  EXPECT_TRUE(reads.Try(ReadAt(file.fd(), 100, data.data(), 4096), file.fd()));
  EXPECT_TRUE(std::equal(data.begin(), data.begin() + 4096, bytes.begin() + 100));
  EXPECT_FALSE(reads.Try(ReadAt(file.fd(), 9'000, data.data(), 4096), file.fd()))
      << "a short read at the end of the file";
  EXPECT_FALSE(reads.Try(ReadAt(-1, 0, data.data(), 8), -1));
  const Request larger = ReadAt(file.fd(), 0, data.data(), data.size());
  EXPECT_FALSE(reads.Try(larger, file.fd())) << "left to a worker";
  reads.BeginBatch(true);
  EXPECT_TRUE(reads.Try(larger, file.fd())) << "the only request";
  EXPECT_FALSE(reads.Try(ReadOf(file.fd(), data.data(), 8), file.fd())) << "current position";
  EXPECT_FALSE(reads.Try(WriteAt(file.fd(), 0, data.data(), 8), file.fd()));
}

// Otherwise the submitter would wait for the device.
TEST(ThreadsCachedReads, LeavesDirectIoToWorkers) {
  const TempFile file(Bytes(8192));
  const UniqueFd direct(open(file.path().c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  SKIP_UNLESS(direct.valid() && TakesNowait(file.fd()), "O_DIRECT");
  alignas(4096) static char data[4096];
  CachedReads reads;
  reads.BeginBatch(false);
  EXPECT_FALSE(reads.Try(ReadAt(direct.get(), 0, data, 4096), direct.get()));
  EXPECT_TRUE(reads.Try(ReadAt(file.fd(), 0, data, 4096), file.fd()));
}

TEST(ThreadsCachedReads, TriesLessAfterFailuresAndMoreAfterSuccesses) {
  const TempFile file(Bytes(4096));
  SKIP_UNLESS(TakesNowait(file.fd()), "RWF_NOWAIT");
  CachedReads reads;
  reads.BeginBatch(false);
  char data[4096];
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(reads.Try(ReadAt(file.fd(), 4000, data, 4096), file.fd()));
  int taken = 0;
  for (int i = 0; i < 200; ++i) taken += reads.Try(ReadAt(file.fd(), 0, data, 4096), file.fd());
  EXPECT_GT(taken, 100);
  EXPECT_LT(taken, 200);
}

}  // namespace
}  // namespace mooring
