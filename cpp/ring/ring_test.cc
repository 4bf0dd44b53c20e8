// Ring on the real engines. testing/conformance tests the behaviour in every configuration; here
// are lingering rings, errors of concurrent callers, and that the data path allocates nothing.
#include "cpp/ring/ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>

#include "cpp/base/unique_fd.h"
#include "cpp/ring/ring_registry.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<int> allocations{0};
}  // namespace

void* operator new(size_t bytes) {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = std::malloc(bytes);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return operator new(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace mooring {
namespace {

constexpr int64_t kLong = 10'000'000'000;

class RingTest : public testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    Result<Ring*> ring = Ring::Create({.engine = GetParam()});
    if (!ring.ok() && GetParam() == EngineKind::kIoUring)
      GTEST_SKIP() << "no io_uring: " << ring.status().message();
    ASSERT_TRUE(ring.ok()) << ring.status().message();
    ring_ = ring.value();
    slab_ = Slab::Create({.buffer_bytes = 4096, .buffer_count = 8}).value();
    registration_ = ring_->Register(slab_, {}).value();
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_end_.Reset(ends[0]);
    write_end_.Reset(ends[1]);
  }
  void TearDown() override {
    registration_.reset();
    Ring::Destroy(ring_);
    RingRegistry::PumpAll();
  }
  Operation PipeRead(uint64_t user_data) {
    Operation read;
    read.opcode = static_cast<uint16_t>(Opcode::kRead);
    read.fd = read_end_.get();
    read.file_offset = kFileOffsetCurrent;
    read.registration = registration_.get();
    read.size = 4096;
    read.user_data = user_data;
    return read;
  }

  Ring* ring_ = nullptr;
  RefPtr<Slab> slab_;
  RefPtr<Registration> registration_;
  UniqueFd read_end_;
  UniqueFd write_end_;
};

TEST_P(RingTest, TheDataPathAllocatesNothing) {
  char path[] = "/tmp/mooring_ring_test_XXXXXX";
  UniqueFd file(mkstemp(path));
  ASSERT_TRUE(file.valid());
  unlink(path);
  ASSERT_EQ(ftruncate(file.get(), 1 << 20), 0);
  Completion completions[8];
  allocations = 0;
  counting = true;
  uint64_t moved = 0;
  for (int round = 0; round < 200; ++round) {
    Operation reads[4];
    Lease leases[4];
    for (int i = 0; i < 4; ++i) {
      if (!slab_->Acquire(1, &leases[i]).ok()) std::abort();
      reads[i].opcode = static_cast<uint16_t>(Opcode::kRead);
      reads[i].fd = file.get();
      reads[i].registration = registration_.get();
      reads[i].lease_first_index = leases[i].first_index;
      reads[i].lease_generation = leases[i].generation;
      reads[i].size = 4096;
      reads[i].file_offset = static_cast<uint64_t>(round) * 4096;
    }
    uint32_t accepted = 0;
    uint32_t count = 0;
    Status status =
        ring_->SubmitAndReap(reads, &accepted, completions, 4, Deadline::After(kLong), &count);
    if (!status.ok() || accepted != 4 || count != 4) std::abort();
    for (uint32_t i = 0; i < count; ++i) moved += static_cast<uint64_t>(completions[i].result);
    for (const Lease& lease : leases) {
      if (!slab_->Release(lease).ok()) std::abort();
    }
  }
  counting = false;
  EXPECT_EQ(allocations.load(), 0);
  EXPECT_EQ(moved, 200u * 4 * 4096);
}

TEST_P(RingTest, DestroyedInFlightReleasesMemoryWhenOperationsEnd) {
  uint32_t accepted = 0;
  ASSERT_TRUE(ring_->Submit(std::vector<Operation>(4, PipeRead(1)), &accepted).ok());
  ASSERT_EQ(accepted, 4u);
  registration_.reset();
  Ring::Destroy(std::exchange(ring_, nullptr));
  const Deadline deadline = Deadline::After(kLong);
  while ((slab_->RefCount() > 1 || RingRegistry::lingering_count() > 0) && !deadline.Passed()) {
    RingRegistry::PumpAll();
    std::this_thread::yield();
  }
  EXPECT_EQ(slab_->RefCount(), 1u);
  EXPECT_EQ(RingRegistry::lingering_count(), 0u);
}

TEST_P(RingTest, CloseFromAnotherThreadEndsTheWaitOfAReaper) {
  uint32_t accepted = 0;
  ASSERT_TRUE(ring_->Submit(std::vector<Operation>(3, PipeRead(5)), &accepted).ok());
  std::atomic<uint32_t> reaped{0};
  std::thread reaper([&] {
    Completion completions[8];
    uint32_t count = 0;
    while (ring_->Reap(completions, 8, Deadline::After(kLong), &count).ok()) reaped += count;
    reaped += count;
  });
  const Status closed = ring_->Close(Deadline::After(kLong));
  EXPECT_TRUE(closed.ok()) << closed.message();
  reaper.join();
  EXPECT_EQ(reaped.load(), 3u);
  EXPECT_EQ(ring_->Stats().in_flight, 0u);
  EXPECT_EQ(ring_->Submit({}, &accepted).code(), Code::kInvalidState);
}

TEST_P(RingTest, ASecondReaperIsAnError) {
  std::atomic<bool> started{false};
  std::thread reaper([&] {
    Completion completion;
    uint32_t count = 0;
    started = true;
    // It gets the same error if it finds the other thread inside.
    Status status;
    do {
      status = ring_->Reap({&completion, 1}, 1, Deadline::After(kLong), &count);
    } while (status.code() == Code::kInvalidState);
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(completion.user_data, 77u);
  });
  while (!started) std::this_thread::yield();
  Completion completion;
  uint32_t count = 0;
  const Deadline deadline = Deadline::After(kLong);
  Status status;
  // If the reaper has not entered yet, this call finds the side free and nothing to reap.
  do {
    status = ring_->Reap({&completion, 1}, 0, Deadline(), &count);
  } while (status.ok() && !deadline.Passed());
  EXPECT_EQ(status.code(), Code::kInvalidState);
  Operation nop;
  nop.user_data = 77;
  uint32_t accepted = 0;
  ASSERT_TRUE(ring_->Submit({&nop, 1}, &accepted).ok());
  reaper.join();
}

TEST_P(RingTest, ADestroyedRegistrationReleasesItsSlabWithoutAReap) {
  registration_.reset();
  RingRegistry::Pump(ring_->table());
  const Deadline deadline = Deadline::After(kLong);  // kernels up to 6.3 post the tag a second late
  while (slab_->RefCount() > 1 && !deadline.Passed()) RingRegistry::PumpAll();
  EXPECT_EQ(slab_->RefCount(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engines, RingTest,
                         testing::Values(EngineKind::kIoUring, EngineKind::kThreads),
                         [](const auto& param) {
                           return std::string(param.param == EngineKind::kIoUring ? "IoUring"
                                                                                  : "Threads");
                         });

TEST(RingOptions, OutOfRangeIsRefusedByName) {
  RingOptions options;
  options.fixed_buffer_count = 16385;
  const Result<Ring*> ring = Ring::Create(options);
  ASSERT_FALSE(ring.ok());
  EXPECT_NE(std::string(ring.status().message()).find("fixed_buffer_count"), std::string::npos);
  RingOptions both;
  both.owner_thread = both.sqpoll = true;
  EXPECT_FALSE(Ring::Create(both).ok());
  RingOptions small;
  small.submission_count = 64;
  small.completion_count = 32;
  EXPECT_FALSE(Ring::Create(small).ok());
}

}  // namespace
}  // namespace mooring
