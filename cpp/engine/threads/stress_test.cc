// Load from many threads: no event is lost or comes twice, and no call hangs. TSAN finds no race.

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"

namespace mooring {
namespace {

constexpr uint32_t kInFlightMax = 64;
constexpr uint64_t kRecordBytes = 512;

// The bytes of record `index` of the file.
uint64_t WordOf(uint64_t index) { return index * 0x9e3779b97f4a7c15u + 1; }

// Several threads submit random requests, one thread at a time, and several others reap them.
// Checks each event: its request is in flight, its result is possible, and a read returns its own
// bytes.
class RandomLoad {
 public:
  explicit RandomLoad(Engine& engine, uint64_t request_count)
      : engine_(engine), request_count_(request_count), slots_(kInFlightMax) {
    std::vector<char> bytes;
    for (uint64_t i = 0; i < kRecords; ++i) {
      for (uint64_t j = 0; j < kRecordBytes / 8; ++j) {
        const uint64_t word = WordOf(i);
        const char* const first = reinterpret_cast<const char*>(&word);
        bytes.insert(bytes.end(), first, first + 8);
      }
    }
    file_ = std::make_unique<TempFile>(bytes);
    for (uint32_t i = 0; i < kInFlightMax; ++i) free_.push_back(i);
  }

  void Run(int submitters, int reapers, unsigned seed) {
    std::vector<std::thread> threads;
    for (int i = 0; i < submitters; ++i)
      threads.emplace_back([this, i, seed] { SubmitAll(seed + static_cast<unsigned>(i)); });
    for (int i = 0; i < reapers; ++i) threads.emplace_back([this] { ReapAll(); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(reaped_.load(), request_count_);
    ExpectNone(engine_);
  }
  uint64_t saturated() const { return saturated_.load(); }

 private:
  static constexpr uint64_t kRecords = 256;
  struct Slot {
    Request request;
    uint64_t use = 0;
    char data[kRecordBytes];
  };

  Request RandomRequest(std::mt19937& random, Slot& slot) {
    switch (random() % 16) {
      case 0:
        return Timeout(random() % 300'000);
      case 1:
        return Cancel(random() % kInFlightMax | uint64_t{slot.use} << 32);
      case 2:
        return ReadOf(pipe_.read_end.get(), slot.data, 1);
      case 3:
        return WriteOf(pipe_.write_end.get(), "x", 1);
      case 4:
        return {.opcode = Opcode::kFsync, .fd = pipe_.read_end.get()};
      case 5:
        return Nop(random() % 4 == 0 ? kRequestDrain : 0);
      case 6:
      case 7:
        return Nop();
      default:
        return ReadAt(file_->fd(), random() % kRecords * kRecordBytes, slot.data, kRecordBytes,
                      random() % 8 == 0 ? kRequestLink : 0);
    }
  }

  void SubmitAll(unsigned seed) {
    std::mt19937 random(seed);
    while (true) {
      const std::lock_guard<std::mutex> lock(submission_side_);
      if (submitted_ == request_count_) return;
      std::vector<Request> batch;
      {
        const std::lock_guard<std::mutex> free_lock(free_mutex_);
        size_t want = std::min<uint64_t>(1 + random() % 24, request_count_ - submitted_);
        if (free_.size() < want) ++saturated_;
        for (; want > 0 && !free_.empty(); --want) {
          Slot& slot = slots_[free_.back()];
          slot.use++;
          slot.request = RandomRequest(random, slot);
          slot.request.token = free_.back() | slot.use << 32;
          free_.pop_back();
          batch.push_back(slot.request);
        }
      }
      if (batch.empty()) {
        std::this_thread::yield();
        continue;
      }
      submitted_ += batch.size();
      engine_.Submit(batch);
    }
  }

  void ReapAll() {
    while (true) {
      Event events[16];
      const std::lock_guard<std::mutex> lock(completion_side_);
      if (reaped_ == request_count_) return;
      const uint32_t count = engine_.Reap(events, 1, Deadline::After(5'000'000));
      // A read of the pipe may be left without a write for it.
      if (count == 0 && write(pipe_.write_end.get(), "x", 1) != 1) abort();
      for (uint32_t i = 0; i < count; ++i) Check(events[i]);
      reaped_ += count;
    }
  }

  void Check(const Event& event) {
    const uint32_t index = static_cast<uint32_t>(event.token);
    ASSERT_LT(index, kInFlightMax);
    const std::lock_guard<std::mutex> lock(free_mutex_);
    Slot& slot = slots_[index];
    ASSERT_EQ(slot.request.token, event.token) << "the request is not in flight";
    const Request& request = slot.request;
    const bool cancelled = event.result == -ECANCELED;
    switch (request.opcode) {
      case Opcode::kTimeout:
        EXPECT_TRUE(cancelled || event.result == -ETIME) << event.result;
        break;
      case Opcode::kCancel:
        EXPECT_TRUE(event.result == 0 || event.result == -ENOENT || event.result == -EALREADY ||
                    cancelled);
        break;
      case Opcode::kFsync:
        EXPECT_TRUE(cancelled || event.result == -EINVAL) << event.result;
        break;
      case Opcode::kRead:
        EXPECT_TRUE(cancelled || event.result == static_cast<int32_t>(request.size64))
            << event.result;
        if (!cancelled && request.size64 == kRecordBytes) {
          uint64_t word = 0;
          memcpy(&word, slot.data + kRecordBytes - 8, 8);
          EXPECT_EQ(word, WordOf(request.file_offset / kRecordBytes));
        }
        break;
      default:
        EXPECT_TRUE(cancelled || event.result == static_cast<int32_t>(request.size64))
            << event.result;
    }
    slot.request.token = UINT64_MAX;  // detects a second event for it
    free_.push_back(index);
  }

  Engine& engine_;
  const uint64_t request_count_;
  std::unique_ptr<TempFile> file_;
  Pipe pipe_;
  std::mutex submission_side_;
  std::mutex completion_side_;
  uint64_t submitted_ = 0;
  std::atomic<uint64_t> reaped_{0};
  std::atomic<uint64_t> saturated_{0};
  std::mutex free_mutex_;
  std::vector<uint32_t> free_;
  std::vector<Slot> slots_;
};

EngineOptions LoadOptions() {
  EngineOptions options;
  options.in_flight_max = kInFlightMax;
  options.worker_count = 4;
  return options;
}

TEST(ThreadsStress, EightThreadsUseBothSides) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  const auto engine = MakeThreads(LoadOptions());
  RandomLoad load(*engine, 30'000);
  load.Run(4, 4, seed);
  EXPECT_GT(load.saturated(), 0u) << "in_flight_max was never reached";
}

TEST(ThreadsStress, SignalsOnTheCallersThreadsLoseNoEvent) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  struct sigaction action = {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  struct sigaction before = {};
  ASSERT_EQ(sigaction(SIGUSR2, &action, &before), 0);
  const auto engine = MakeThreads(LoadOptions());
  std::atomic<bool> over{false};
  std::thread signaller([&] {
    while (!over) {
      kill(getpid(), SIGUSR2);
      usleep(20);
    }
  });
  RandomLoad(*engine, 10'000).Run(2, 2, seed);
  over = true;
  signaller.join();
  // A signal does not end a wait early either.
  std::atomic<bool> reaping{true};
  const pthread_t reaper = pthread_self();
  std::thread sender([&] {
    while (reaping) {
      pthread_kill(reaper, SIGUSR2);
      usleep(500);
    }
  });
  Event event;
  const int64_t start = MonotonicNow();
  EXPECT_EQ(engine->Reap({&event, 1}, 1, Deadline::After(30'000'000)), 0u);
  EXPECT_GE(MonotonicNow() - start, 30'000'000);
  reaping = false;
  sender.join();
  sigaction(SIGUSR2, &before, nullptr);
}

TEST(ThreadsStress, EveryTaskCanBeUsedAgain) {
  const auto engine = MakeThreads(LoadOptions());
  for (int round = 0; round < 200; ++round) {
    std::vector<Request> requests(kInFlightMax, CloseOf(-1));
    Values expected(kInFlightMax, -EBADF);
    requests[7] = Nop();
    expected[7] = 0;
    requests[8] = Timeout(1000);
    expected[8] = -ETIME;
    ASSERT_EQ(Results(*engine, requests), expected);
  }
}

TEST(ThreadsStress, CancelsThatRaceWithReadinessLeaveOneEventEach) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto engine = MakeThreads(LoadOptions());
  Pipe pipe;
  for (uint64_t round = 0; round < 2'000; ++round) {
    char byte = 0;
    const uint64_t token = round << 8;
    engine->Submit(std::vector{As(token, ReadOf(pipe.read_end.get(), &byte, 1))});
    for (uint32_t spin = random() % 2'000; spin > 0; --spin) asm volatile("");
    if (random() % 8 == 0) usleep(random() % 100);
    const bool feed = random() % 2 == 0;
    if (feed) {
      ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
    }
    engine->Submit(std::vector{As(token + 1, Cancel(token))});
    int32_t read_result = INT32_MIN;
    for (const Event& event : Take(*engine, 2)) {
      if (event.token == token) read_result = event.result;
    }
    ASSERT_TRUE(read_result == 1 || read_result == -ECANCELED) << read_result;
    if (read_result == -ECANCELED && feed) {
      ASSERT_EQ(read(pipe.read_end.get(), &byte, 1), 1) << "a cancelled read moves no data";
    }
  }
}

}  // namespace
}  // namespace mooring
