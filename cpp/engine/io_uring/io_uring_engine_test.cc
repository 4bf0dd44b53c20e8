#include "cpp/engine/io_uring/io_uring_engine.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "cpp/engine/testing/engine_test_support.h"

namespace mooring {
namespace {

class IoUringEngineTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    engine_ = MakeUring(GetParam());
    ASSERT_NE(engine_, nullptr);
  }
  void Remake(const std::function<void(EngineOptions&)>& change) {
    EngineOptions options = OptionsOf(GetParam());
    change(options);
    engine_ = MakeUring(options);
    ASSERT_NE(engine_, nullptr);
  }
  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Modes, IoUringEngineTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner, Mode::kSqpoll),
                         ModeName);

TEST_P(IoUringEngineTest, ReportsItsProperties) {
  const EngineInfo& info = engine_->info();
  EXPECT_EQ(info.kind, EngineKind::kIoUring);
  EXPECT_EQ(info.reason, EngineReason::kNone);
  EXPECT_EQ(info.message, "");
  EXPECT_EQ(info.submission_count, 128u);
  EXPECT_EQ(info.completion_count, 256u);
  EXPECT_EQ(info.owner_thread, GetParam() == Mode::kOwner);
  EXPECT_EQ(info.sqpoll, GetParam() == Mode::kSqpoll);
  EXPECT_EQ(info.fixed_buffer_count == 0, info.table_error != 0);
  EXPECT_EQ(info.fixed_file_count, 0u);
  EXPECT_NE(info.features & kFeatureFixedBuffers, 0u);
}

TEST_P(IoUringEngineTest, NopCompletesWithItsToken) {
  engine_->Submit(std::vector{As(77, Nop())});
  const std::vector<Event> events = Take(*engine_, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].token, 77u);
  EXPECT_EQ(events[0].result, 0);
  EXPECT_EQ(events[0].flags, 0u);
  ExpectNone(*engine_);
}

TEST_P(IoUringEngineTest, SubmitAndReapReturnsTheEventsOfItsRequests) {
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 32; ++i) requests.push_back(As(i, Nop()));
  std::vector<Event> events(32);
  for (int round = 0; round < 100; ++round) {
    ASSERT_EQ(engine_->SubmitAndReap(requests, events, 32, Patience()), 32u);
    for (uint64_t i = 0; i < 32; ++i) EXPECT_EQ(events[i].token, i);
  }
}

TEST_P(IoUringEngineTest, ReadsAndWritesUseTheirOffsets) {
  const std::vector<char> bytes = Bytes(64 << 10);
  const TempFile source(bytes);
  const TempFile target;
  std::vector<char> data(bytes.size());
  EXPECT_EQ(Results(*engine_, {ReadAt(source.fd(), 0, data.data(), 4096),
                               ReadAt(source.fd(), 4096, &data[4096], 60 << 10)}),
            Values({4096, 60 << 10}));
  EXPECT_EQ(data, bytes);
  EXPECT_EQ(Results(*engine_, {WriteAt(target.fd(), 10, bytes.data(), 100)}), Values({100}));
  EXPECT_EQ(pread(target.fd(), data.data(), 100, 10), 100);
  EXPECT_TRUE(std::equal(data.begin(), data.begin() + 100, bytes.begin()));
}

TEST_P(IoUringEngineTest, ReadsAtTheEndAreShortThenEmpty) {
  const TempFile file(Bytes(100));
  char data[4096];
  EXPECT_EQ(
      Results(*engine_, {ReadAt(file.fd(), 40, data, 4096), ReadAt(file.fd(), 100, data, 4096)}),
      Values({60, 0}));
}

TEST_P(IoUringEngineTest, CurrentOffsetFollowsAndMovesTheFilePosition) {
  const std::vector<char> bytes = Bytes(100);
  const TempFile file(bytes);
  ASSERT_EQ(lseek(file.fd(), 30, SEEK_SET), 30);
  char data[20];
  EXPECT_EQ(Results(*engine_, {ReadAt(file.fd(), kFileOffsetCurrent, data, 20)}), Values({20}));
  EXPECT_TRUE(std::equal(data, data + 20, bytes.begin() + 30));
  EXPECT_EQ(lseek(file.fd(), 0, SEEK_CUR), 50);
}

TEST_P(IoUringEngineTest, BadDescriptorFailsOnlyItsRequest) {
  char data[1];
  const TempFile file(Bytes(1));
  EXPECT_EQ(Results(*engine_, {ReadAt(file.fd(), 0, data, 1), ReadAt(-1, 0, data, 1),
                               ReadAt(file.fd(), 0, data, 1)}),
            Values({1, -EBADF, 1}));
}

// Each entry of the queue is used first by requests with all flags and fields, then by plain ones.
TEST_P(IoUringEngineTest, AnEntryKeepsNothingOfItsEarlierUse) {
  Remake([](EngineOptions& options) {
    options.submission_count = 8;
    options.fixed_file_count = 1;
  });
  const std::vector<char> plain = Bytes(64, 1);
  const TempFile file(plain);
  const TempFile other(Bytes(64, 2));
  if (engine_->info().fixed_file_count == 0) GTEST_SKIP() << "missing: fixed files";
  ASSERT_EQ(engine_->SetFile(0, other.fd()), 0);
  char data[64];
  for (int i = 0; i < 8; ++i) {
    const uint16_t flags = kRequestFixedFile | kRequestDrain | kRequestLink;
    Request loaded = ReadAt(0, 8, data, 8, flags);
    EXPECT_EQ(Results(*engine_, {In(3, loaded), Timeout(1)}), Values({-EFAULT, -ECANCELED}));
  }
  for (int i = 0; i < 16; ++i) {
    std::fill(data, data + 64, 'x');
    ASSERT_EQ(Results(*engine_, {ReadAt(file.fd(), 0, data, 64)}), Values({64}));
    ASSERT_TRUE(std::equal(data, data + 64, plain.begin()));
  }
}

TEST_P(IoUringEngineTest, AThousandRequestsPassThroughAQueueOfEight) {
  Remake([](EngineOptions& options) {
    options.submission_count = 8;
    options.completion_count = 1024;
    options.in_flight_max = 1024;
  });
  const std::vector<char> bytes = Bytes(1000);
  const TempFile file(bytes);
  std::vector<char> data(1000);
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 1000; ++i) requests.push_back(ReadAt(file.fd(), i, &data[i], 1));
  EXPECT_EQ(Results(*engine_, requests), Values(1000, 1));
  EXPECT_EQ(data, bytes);
}

TEST_P(IoUringEngineTest, NothingIsLostWhenTheCompletionQueueOverflows) {
  Remake([](EngineOptions& options) {
    options.submission_count = 8;
    options.completion_count = 16;
    options.in_flight_max = 512;
  });
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(Results(*engine_, std::vector<Request>(512, Nop())), Values(512, 0));
  }
  ExpectNone(*engine_);
  EXPECT_GT(engine_->counters().overflows, 0u);
}

TEST_P(IoUringEngineTest, OverflowedEventsReachReapsThatDoNotWait) {
  Remake([](EngineOptions& options) {
    options.submission_count = 8;
    options.completion_count = 16;
    options.in_flight_max = 64;
  });
  engine_->Submit(std::vector<Request>(64, Nop()));
  uint32_t have = 0;
  Event events[5];
  for (const Deadline deadline = Patience(); have < 64 && !deadline.Passed();)
    have += engine_->Reap(events, 0, Deadline());
  EXPECT_EQ(have, 64u);
}

TEST_P(IoUringEngineTest, DestructionWithRequestsInFlightDoesNotWait) {
  Pipe pipe;
  static char data[16];  // the kernel may write to it after the engine is destroyed
  engine_->Submit(std::vector{As(1, ReadAt(pipe.read_end.get(), kFileOffsetCurrent, data, 16)),
                              As(2, Timeout(60'000'000'000))});
  const int64_t before = MonotonicNow();
  engine_.reset();
  EXPECT_LT(MonotonicNow() - before, 5'000'000'000);
}

TEST_P(IoUringEngineTest, AForkedChildOnlyClosesItsCopy) {
  EXPECT_EQ(InChild([this] {
              engine_.reset();
              return std::string();
            }),
            "");
  EXPECT_EQ(Results(*engine_, {Nop()}), Values({0}));
}

class BufferTableTest : public IoUringEngineTest {
 protected:
  void SetUp() override {
    IoUringEngineTest::SetUp();
    if (engine_ == nullptr) return;
    SKIP_UNLESS(engine_->info().fixed_buffer_count != 0, "fixed_buffers");
    void* memory =
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    memory_ = static_cast<char*>(memory);
  }
  ~BufferTableTest() override {
    engine_.reset();
    if (memory_ != nullptr) munmap(memory_, kBytes);
  }
  static constexpr size_t kBytes = 64 << 10;
  char* memory_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Modes, BufferTableTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner, Mode::kSqpoll),
                         ModeName);

TEST_P(BufferTableTest, FixedTransfersGoThroughTheSlot) {
  const std::vector<char> bytes = Bytes(8192);
  const TempFile file(bytes);
  const iovec range = {.iov_base = memory_, .iov_len = kBytes};
  ASSERT_EQ(engine_->UpdateBuffers(5, {&range, 1}, {}), 1);
  EXPECT_EQ(Results(*engine_, {In(5, ReadAt(file.fd(), 0, memory_ + 4096, 8192))}), Values({8192}));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), memory_ + 4096));
  EXPECT_EQ(Results(*engine_, {In(5, WriteAt(file.fd(), 8192, memory_ + 4096, 100))}),
            Values({100}));
  // An address outside the slot's range fails, which shows that the kernel used the slot.
  char outside[16];
  EXPECT_EQ(Results(*engine_, {In(5, ReadAt(file.fd(), 0, outside, 16))}), Values({-EFAULT}));
}

TEST_P(BufferTableTest, AnEmptySlotGivesEfault) {
  const TempFile file(Bytes(16));
  EXPECT_EQ(Results(*engine_, {In(0, ReadAt(file.fd(), 0, memory_, 16)),
                               In(1023, ReadAt(file.fd(), 0, memory_, 16)),
                               In(1024, ReadAt(file.fd(), 0, memory_, 16))}),
            Values({-EFAULT, -EFAULT, -EFAULT}));
}

TEST_P(BufferTableTest, AnEmptiedSlotGivesEfaultAndItsTagArrives) {
  const TempFile file(Bytes(16));
  const iovec range = {.iov_base = memory_, .iov_len = kBytes};
  const uint64_t tag = kBufferTagBit | 9;
  ASSERT_EQ(engine_->UpdateBuffers(0, {&range, 1}, {&tag, 1}), 1);
  EXPECT_EQ(Results(*engine_, {In(0, ReadAt(file.fd(), 0, memory_, 16))}), Values({16}));
  const iovec empty = {};
  ASSERT_EQ(engine_->UpdateBuffers(0, {&empty, 1}, {}), 1);
  const std::vector<Event> events = Take(*engine_, 1);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].token, tag);
  EXPECT_EQ(events[0].result, 0);
  EXPECT_EQ(Results(*engine_, {In(0, ReadAt(file.fd(), 0, memory_, 16))}), Values({-EFAULT}));
}

// The engine returns the kernel's short count unchanged.
TEST_P(BufferTableTest, APartialUpdateReturnsItsCount) {
  const iovec ranges[4] = {
      {memory_, 4096}, {memory_ + 4096, 4096}, {nullptr, 4096}, {memory_, 4096}};
  EXPECT_EQ(engine_->UpdateBuffers(0, ranges, {}), 2);
  EXPECT_EQ(engine_->UpdateBuffers(2, std::span(ranges).subspan(2), {}), -EFAULT);
  const TempFile file(Bytes(16));
  EXPECT_EQ(Results(*engine_, {In(1, ReadAt(file.fd(), 0, memory_ + 4096, 16)),
                               In(3, ReadAt(file.fd(), 0, memory_, 16))}),
            Values({16, -EFAULT}));
}

TEST_P(BufferTableTest, AfterUnregisterThereIsNoTable) {
  const iovec range = {.iov_base = memory_, .iov_len = kBytes};
  ASSERT_EQ(engine_->UpdateBuffers(0, {&range, 1}, {}), 1);
  engine_->UnregisterBuffers();
  engine_->UnregisterBuffers();
  const TempFile file(Bytes(16));
  EXPECT_EQ(Results(*engine_, {In(0, ReadAt(file.fd(), 0, memory_, 16))}), Values({-EFAULT}));
  EXPECT_EQ(engine_->UpdateBuffers(0, {&range, 1}, {}), -EOPNOTSUPP);
}

TEST_P(BufferTableTest, WithoutATableUpdatesFail) {
  Remake([](EngineOptions& options) { options.fixed_buffer_count = 0; });
  const iovec range = {.iov_base = memory_, .iov_len = kBytes};
  EXPECT_EQ(engine_->UpdateBuffers(0, {&range, 1}, {}), -EOPNOTSUPP);
  EXPECT_EQ(engine_->info().table_error, 0);
}

TEST_P(BufferTableTest, ATooLargeTableLeavesARingWithoutOne) {
  Remake([](EngineOptions& options) { options.fixed_buffer_count = 16384 + 1; });
  EXPECT_EQ(engine_->info().fixed_buffer_count, 0u);
  EXPECT_EQ(engine_->info().table_error, EINVAL);
  EXPECT_EQ(Results(*engine_, {Nop()}), Values({0}));
}

}  // namespace
}  // namespace mooring
