// Growth: more buffers for a slab in use. Existing buffers do not move.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "testing/support/child_process.h"
#include "testing/support/conformance_fixture.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

// A registered slab of kSlabBytes that can grow to four times its size.
class Growth : public DataTest {
 protected:
  static constexpr uint64_t kCountMax = 4 * kBufferCount;

  static mooring_slab_options_t GrowingOptions() {
    mooring_slab_options_t options = SlabOptions();
    options.buffer_count_max = kCountMax;
    return options;
  }

  void SetUp() override {
    DataTest::SetUp();
    registration_.reset();
    slab_ = CreateSlab(GrowingOptions());
    ASSERT_NE(slab_, nullptr);
    registration_ = Register(ring_, slab_);
    ASSERT_NE(registration_, nullptr);
    data_ = Data(slab_);
  }

  // Reads the file into [offset, offset + size) of the slab, on the path that the registration
  // reports.
  void ExpectRead(const Place& place, uint64_t offset, uint64_t size) {
    std::memset(data(offset), 0, size);
    const mooring_path_t expected = PathOf(offset, size);
    const mooring_completion_t read = RunOne(ring_, Read(file_.get(), offset, place, size));
    EXPECT_EQ(read.result, static_cast<int64_t>(size));
    EXPECT_EQ(read.path, expected);
    EXPECT_TRUE(HasPattern(data(offset), kSeed, offset, size));
  }

  static constexpr uint64_t kSeed = 51;
  const TempDir dir_;
  const Fd file_ = dir_.Create("data", Pattern(kSeed, 0, 2 * kSlabBytes));
};

CONFORMANCE_TEST(Growth, KeepsTheBuffersAndAddsZeroedOnes, kAnywhere) {
  const mooring_lease_t before = Acquire(slab_, kBufferCount);
  FillPattern(data(), 52, 0, kSlabBytes);
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));

  const mooring_slab_info_t info = Info(slab_);
  EXPECT_EQ(info.data, data_) << "the slab has moved";
  EXPECT_EQ(info.buffer_count, 2 * kBufferCount);
  EXPECT_EQ(info.buffer_count_max, kCountMax);
  EXPECT_EQ(info.total_bytes, 2 * kSlabBytes);
  EXPECT_EQ(info.leased_count, kBufferCount);
  EXPECT_EQ(mooring_slab_data(slab_.get(), before), data_);
  EXPECT_TRUE(HasPattern(data(), 52, 0, kSlabBytes));

  const mooring_lease_t added = Acquire(slab_, kBufferCount);
  EXPECT_EQ(added.first_index, kBufferCount);
  EXPECT_EQ(mooring_slab_data(slab_.get(), added), data(kSlabBytes));
  EXPECT_TRUE(IsAll(data(kSlabBytes), std::byte{0}, kSlabBytes));
  EXPECT_OK(mooring_slab_release(slab_.get(), before));
  EXPECT_OK(mooring_slab_release(slab_.get(), added));
  EXPECT_EQ(Acquire(slab_, 2 * kBufferCount).first_index, 0u) << "one lease of old and new buffers";
}

CONFORMANCE_TEST(Growth, NewPagesAreOfTheSlabsKind, kAnywhere) {
  const mooring_page_kind_t kind = Info(slab_).page_kind;
  ASSERT_OK(mooring_slab_grow(slab_.get(), 2 * kBufferCount));
  const mooring_slab_info_t info = Info(slab_);
  EXPECT_EQ(info.touched_bytes, 3 * kSlabBytes);
  if (GrowingOptions().huge_pages != MOORING_HUGE_PAGES_REQUIRE) return;
  EXPECT_EQ(info.page_kind, kind);
  EXPECT_EQ(info.huge_page_total_bytes, info.total_bytes);
}

CONFORMANCE_TEST(Growth, ARegistrationGetsFurtherExtents, kAnywhere) {
  const mooring_registration_info_t before = Info(registration_);
  std::vector<mooring_extent_info_t> extents;
  for (uint32_t i = 0; i < before.extent_count; ++i) extents.push_back(Extent(registration_, i));
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));

  const mooring_registration_info_t after = Info(registration_);
  EXPECT_EQ(after.bytes_requested, 2 * kSlabBytes);
  EXPECT_EQ(after.outcome, before.outcome) << after.message;
  EXPECT_EQ(after.reason, before.reason) << after.message;
  ASSERT_GT(after.extent_count, before.extent_count);
  for (uint32_t i = 0; i < before.extent_count; ++i) {
    const mooring_extent_info_t extent = Extent(registration_, i);
    EXPECT_EQ(std::memcmp(&extent, &extents[i], sizeof extent), 0) << "extent " << i;
  }
  EXPECT_EQ(Extent(registration_, before.extent_count).offset, kSlabBytes);
  ExpectRead(InLease(registration_.get(), Acquire(slab_)), 0, kBufferBytes);
  Acquire(slab_, kBufferCount - 1);
  ExpectRead(InLease(registration_.get(), Acquire(slab_)), kSlabBytes, kBufferBytes);
  ExpectRead(At(2 * kSlabBytes - 4096), 2 * kSlabBytes - 4096, 4096);
}

CONFORMANCE_TEST(Growth, NewBuffersArePinned, kPinned) {
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));
  EXPECT_EQ(Info(registration_).bytes_fixed, 2 * kSlabBytes) << Info(registration_).message;
  EXPECT_EQ(PathOf(kSlabBytes, kSlabBytes), MOORING_PATH_FIXED);
  ExpectRead(At(kSlabBytes), kSlabBytes, kSlabBytes);
}

CONFORMANCE_TEST(Growth, ARangeAcrossOldAndNewBuffersIsCopied, kAnywhere) {
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));
  const mooring_lease_t lease = Acquire(slab_, 2 * kBufferCount);
  EXPECT_EQ(PathOf(0, 2 * kSlabBytes), MOORING_PATH_COPY);
  ExpectRead(InLease(registration_.get(), lease), 0, 2 * kSlabBytes);
  ExpectRead(At(kSlabBytes - 4096), kSlabBytes - 4096, 8192);
}

CONFORMANCE_TEST(Growth, DoesNotAffectOperationsInFlight, kAnywhere) {
  const Pipe pipe;
  const mooring_lease_t lease = Acquire(slab_);
  const mooring_path_t path = PathOf(512, 512);
  Submit(ring_, {ReadStream(pipe.read_fd(), InLease(registration_.get(), lease, 512), 512)});
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));
  EXPECT_EQ(Info(slab_).held_count, 1u) << "the operation has lost its lease";

  const std::vector<std::byte> sent = Pattern(53, 0, 512);
  pipe.Write(sent.data(), sent.size());
  const mooring_completion_t completion = Reap(ring_, 1).front();
  EXPECT_EQ(completion.result, 512);
  EXPECT_EQ(completion.path, path);
  EXPECT_TRUE(HasPattern(data(512), 53, 0, 512));
  EXPECT_TRUE(IsAll(data(kSlabBytes), std::byte{0}, kSlabBytes));
  EXPECT_EQ(Info(slab_).held_count, 0u);
}

CONFORMANCE_TEST(Growth, ALaterRegistrationCoversTheWholeSlab, kAnywhere) {
  ASSERT_OK(mooring_slab_grow(slab_.get(), 1));
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount - 1));
  registration_ = Register(ring_, slab_);
  EXPECT_EQ(Info(registration_).bytes_requested, 2 * kSlabBytes);
  ExpectRead(At(kSlabBytes), kSlabBytes, kSlabBytes);
}

CONFORMANCE_TEST(Growth, PolicyNeverStaysOnTheCopyPath, kAnywhere) {
  registration_ = Register(ring_, slab_, RegistrationOptions(MOORING_POLICY_NEVER));
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));
  const mooring_registration_info_t info = Info(registration_);
  EXPECT_EQ(info.bytes_requested, 2 * kSlabBytes);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_COPY);
  EXPECT_EQ(info.reason, MOORING_REASON_POLICY);
  ExpectRead(At(kSlabBytes), kSlabBytes, kBufferBytes);
}

CONFORMANCE_TEST(Growth, BuffersMayBePartsOfPages, kBasePages) {
  mooring_slab_options_t options = SlabOptions(5, 1536);
  options.buffer_count_max = 64;
  slab_ = CreateSlab(options);
  data_ = Data(slab_);
  registration_ = Register(ring_, slab_);
  for (uint64_t count = 5; count < 64;) {
    const uint64_t more = std::min<uint64_t>(7, 64 - count);
    ASSERT_OK(mooring_slab_grow(slab_.get(), more));
    ExpectRead(At(count * 1536), count * 1536, more * 1536);
    count += more;
  }
  EXPECT_EQ(Info(slab_).touched_bytes, 64u * 1536);
}

CONFORMANCE_TEST(Growth, BuffersBeforeTheGrowthUseNoMemory, kBasePages) {
  EXPECT_EQ(Info(slab_).touched_bytes, kSlabBytes);
  mooring_slab_options_t options = GrowingOptions();
  options.huge_pages = MOORING_HUGE_PAGES_NEVER;
  options.touch = MOORING_TOUCH_NONE;
  const Slab untouched = CreateSlab(options);
  ASSERT_OK(mooring_slab_grow(untouched.get(), kBufferCount));
  EXPECT_EQ(Info(untouched).touched_bytes, 0u);
}

CONFORMANCE_TEST(Growth, AllOfItIsUnmappedWithTheSlab, kAnywhere) {
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));
  std::byte* const last = data(4 * kSlabBytes) - 1;
  EXPECT_TRUE(IsMapped(data()) && IsMapped(last))
      << "the address range for later buffers is not reserved";
  registration_.reset();
  slab_.reset();
  for (std::byte* const at : {data(), data(kSlabBytes), last}) ExpectUnmapped(at);
}

CONFORMANCE_TEST(Growth, Rule12AChildHasNoneOfItAndCannotGrowIt, kAnywhere) {
  ASSERT_OK(mooring_slab_grow(slab_.get(), kBufferCount));
  const ChildResult child = RunInChild([&] {
    if (IsMapped(data(kSlabBytes)) || IsMapped(data(4 * kSlabBytes) - 1))
      return "the child has the parent's memory";
    const Failure failure = Take(mooring_slab_grow(slab_.get(), 1));
    slab_.reset();
    return failure.code == MOORING_CODE_FORKED ? "" : "the child can grow the parent's slab";
  });
  EXPECT_TRUE(child.exited) << child.complaint;
  EXPECT_EQ(child.complaint, "");
  EXPECT_EQ(Info(slab_).buffer_count, 2 * kBufferCount);
  ExpectRead(At(kSlabBytes), kSlabBytes, kBufferBytes);
}

// Two threads grow the slab while others lease, read and register.
CONFORMANCE_TEST(Growth, RunsConcurrentlyWithOtherCalls, kAnyThread) {
  constexpr uint64_t kStep = 4;
  constexpr int kTurns = 4;  // of each of the two: kBufferCount buffers in all
  std::atomic<int> growing{2};
  auto grow = [&] {
    for (int i = 0; i < kTurns; ++i) EXPECT_OK(mooring_slab_grow(slab_.get(), kStep));
    --growing;
  };
  auto lease = [&] {
    while (growing > 0) {
      mooring_lease_t taken{};
      if (!Take(mooring_slab_acquire(slab_.get(), 3, &taken)).ok()) continue;
      std::memset(mooring_slab_data(slab_.get(), taken), 0x5a, 3 * kBufferBytes);
      EXPECT_OK(mooring_slab_release(slab_.get(), taken));
    }
  };
  auto attach = [&] {
    while (growing > 0) {
      const uint64_t least = Info(slab_).total_bytes;
      const Registration other = Register(ring_, slab_);
      EXPECT_GE(Info(other).bytes_requested, least);
      EXPECT_OK(mooring_registration_promote(registration_.get()));
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(lease);
  threads.emplace_back(attach);
  threads.emplace_back(grow);
  threads.emplace_back(grow);
  do {
    const mooring_lease_t taken = Acquire(slab_);
    const mooring_completion_t read =
        RunOne(ring_, Read(file_.get(), 0, InLease(registration_.get(), taken), kBufferBytes));
    EXPECT_EQ(read.result, static_cast<int64_t>(kBufferBytes));
    EXPECT_TRUE(HasPattern(mooring_slab_data(slab_.get(), taken), kSeed, 0, kBufferBytes));
    EXPECT_OK(mooring_slab_release(slab_.get(), taken));
  } while (growing > 0);
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(Info(slab_).buffer_count, 2 * kBufferCount);
  EXPECT_EQ(Info(slab_).leased_count, 0u);
  EXPECT_EQ(Info(registration_).bytes_requested, 2 * kSlabBytes);
  EXPECT_EQ(Acquire(slab_, 2 * kBufferCount).first_index, 0u);
  for (uint64_t offset = 0; offset < 2 * kSlabBytes; offset += kBufferBytes) {
    ExpectRead(At(offset), offset, kBufferBytes);
  }
}

}  // namespace
}  // namespace mooring::conformance
