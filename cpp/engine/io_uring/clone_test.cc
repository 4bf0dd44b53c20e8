// Cloned slots: two rings whose tables hold the same pinned pages.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "cpp/engine/create_engine.h"
#include "cpp/engine/io_uring/features.h"
#include "cpp/engine/testing/engine_test_support.h"
#include "cpp/engine/testing/fake_kernel.h"
#include "cpp/engine/threads/threads_engine.h"
#include "testing/support/eventually.h"
#include "testing/support/proc_self.h"

namespace mooring {
namespace {

using conformance::Eventually;
using conformance::PinnedBytes;

constexpr size_t kBytes = 64 << 10;

class IoUringCloneTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    memory_ = static_cast<char*>(
        mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(memory_, MAP_FAILED);
    SKIP_UNLESS((ProbeEngine().features & kFeatureCloneBuffers) != 0, "clone_buffers");
    source_ = MakeUring(GetParam());
    target_ = MakeUring(GetParam());
    ASSERT_NE(source_, nullptr);
    ASSERT_NE(target_, nullptr);
    ASSERT_TRUE(Eventually([] { return PinnedBytes() == 0; }))
        << "the previous test still has pinned pages";
  }
  ~IoUringCloneTest() override {
    source_.reset();
    target_.reset();
    if (memory_ != nullptr) munmap(memory_, kBytes);
  }
  int Fill(Engine& engine, uint32_t slot, uint64_t tag = 0) {
    const iovec range = {.iov_base = memory_, .iov_len = kBytes};
    return engine.UpdateBuffers(slot, {&range, 1}, {&tag, 1});
  }
  int Empty(Engine& engine, uint32_t slot) {
    const iovec none = {};
    return engine.UpdateBuffers(slot, {&none, 1}, {});
  }

  std::unique_ptr<Engine> source_;
  std::unique_ptr<Engine> target_;
  char* memory_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Modes, IoUringCloneTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner, Mode::kSqpoll),
                         ModeName);

TEST_P(IoUringCloneTest, TheCloneReadsIntoTheSamePagesAndPinsNoMore) {
  ASSERT_EQ(Fill(*source_, 5), 1);
  EXPECT_EQ(PinnedBytes(), kBytes);
  ASSERT_EQ(target_->CloneBuffer(*source_, 5, 700), 0);
  EXPECT_EQ(PinnedBytes(), kBytes);
  const std::vector<char> bytes = Bytes(4096);
  const TempFile file(bytes);
  EXPECT_EQ(Results(*target_, {In(700, ReadAt(file.fd(), 0, memory_ + 100, 4096))}),
            Values({4096}));
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), memory_ + 100));
  EXPECT_EQ(Results(*target_, {In(5, ReadAt(file.fd(), 0, memory_, 16))}), Values({-EFAULT}));
}

TEST_P(IoUringCloneTest, OtherSlotsOfTheTargetKeepTheirPagesAndTags) {
  const uint64_t tag = kBufferTagBit | 3;
  ASSERT_EQ(Fill(*source_, 0), 1);
  ASSERT_EQ(Fill(*target_, 2, tag), 1);
  ASSERT_EQ(target_->CloneBuffer(*source_, 0, 1), 0);
  ExpectNone(*target_);
  const TempFile file(Bytes(16));
  EXPECT_EQ(Results(*target_, {In(2, ReadAt(file.fd(), 0, memory_, 16))}), Values({16}));
  ASSERT_EQ(Empty(*target_, 2), 1);
  EXPECT_EQ(Take(*target_, 1).front().token, tag);
}

// cpp/registration relies on this: a tag reports the slot of one ring, and emptying a cloned slot
// without requests releases it immediately.
TEST_P(IoUringCloneTest, EachSlotIsReleasedSeparatelyAndTheLastOneUnpins) {
  const uint64_t tag = kBufferTagBit | 4;
  ASSERT_EQ(Fill(*source_, 0, tag), 1);
  ASSERT_EQ(target_->CloneBuffer(*source_, 0, 0), 0);
  ASSERT_EQ(Empty(*source_, 0), 1);
  EXPECT_EQ(Take(*source_, 1).front().token, tag);
  EXPECT_EQ(PinnedBytes(), kBytes) << "the clone holds the pages";
  ASSERT_EQ(Empty(*target_, 0), 1);
  EXPECT_EQ(PinnedBytes(), 0u);
  ExpectNone(*target_);
}

TEST_P(IoUringCloneTest, TheCloneOutlivesItsSource) {
  ASSERT_EQ(Fill(*source_, 0), 1);
  ASSERT_EQ(target_->CloneBuffer(*source_, 0, 0), 0);
  source_->UnregisterBuffers();
  source_.reset();
  const TempFile file(Bytes(4096));
  EXPECT_EQ(Results(*target_, {In(0, ReadAt(file.fd(), 0, memory_, 4096))}), Values({4096}));
  EXPECT_EQ(PinnedBytes(), kBytes);
}

TEST_P(IoUringCloneTest, CloningFailsWithoutATableOrFromAnotherKind) {
  Result<std::unique_ptr<Engine>> threads = CreateThreadsEngine({.kind = EngineKind::kThreads});
  ASSERT_TRUE(threads.ok());
  EXPECT_EQ(target_->CloneBuffer(*threads.value(), 0, 0), -EOPNOTSUPP);
  EXPECT_EQ(threads.value()->CloneBuffer(*source_, 0, 0), -EOPNOTSUPP);
  source_->UnregisterBuffers();
  EXPECT_EQ(target_->CloneBuffer(*source_, 0, 0), -ENXIO);
  target_->UnregisterBuffers();
  EXPECT_EQ(target_->CloneBuffer(*source_, 0, 0), -EOPNOTSUPP);
}

TEST(IoUringClone, ATargetWithAnOwnerRejectsOtherThreads) {
  SKIP_UNLESS(HasUring() && (ProbeEngine().features & kFeatureCloneBuffers) != 0, "clone_buffers");
  SKIP_UNLESS((ProbeEngine().features & kFeatureSingleIssuer) != 0, "single_issuer");
  const std::unique_ptr<Engine> source = MakeUring(Mode::kAnyThread);
  const std::unique_ptr<Engine> target = MakeUring(Mode::kOwner);
  std::thread([&] { EXPECT_EQ(target->CloneBuffer(*source, 0, 0), -EEXIST); }).join();
  EXPECT_EQ(target->CloneBuffer(*source, 0, 0), 0);
}

TEST(IoUringClone, TheFeatureIsSetOnlyWhereSlotsCanBeCloned) {
  SKIP_UNLESS(HasUring(), "io_uring");
  FakeKernel kernel;
  const auto try_clone = [&] {
    Uring source;
    EXPECT_EQ(source.Create(kernel.calls(), io_uring_params{}, 1), 0);
    return TryClone(kernel.calls(), source);
  };
  const uint64_t here = try_clone();
  EXPECT_EQ(here, ProbeEngine().features & kFeatureCloneBuffers);
  kernel.denied_register_opcodes = {kRegisterCloneBuffers};  // as up to 6.12
  EXPECT_EQ(try_clone(), 0u);
  kernel.denied_register_opcodes = {IORING_REGISTER_BUFFERS2};
  EXPECT_EQ(try_clone(), 0u);
}

}  // namespace
}  // namespace mooring
