#include "cpp/slabs/slab.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cpp/os/mapping.h"
#include "cpp/os/pages.h"
#include "testing/support/child_process.h"
#include "testing/support/proc_self.h"

namespace mooring {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

RefPtr<Slab> MustCreate(const SlabOptions& options) {
  Result<RefPtr<Slab>> made = Slab::Create(options);
  EXPECT_TRUE(made.ok()) << made.status().message() << "; " << made.status().remedy();
  return made.ok() ? std::move(made).value() : nullptr;
}

RefPtr<Slab> SmallSlab() { return MustCreate({.buffer_bytes = 4096, .buffer_count = 8}); }

Lease MustAcquire(Slab* slab, uint32_t buffer_count) {
  Lease lease;
  const Status status = slab->Acquire(buffer_count, &lease);
  EXPECT_TRUE(status.ok()) << status.message();
  return lease;
}

// True if the status is INVALID_ARGUMENT, with `text` in its message and a remedy.
testing::AssertionResult IsInvalid(const Status& status, const std::string& text) {
  if (status.code() != Code::kInvalidArgument || status.retry() != Retry::kNever) {
    return testing::AssertionFailure() << CodeName(status.code()) << ": " << status.message();
  }
  const bool matches = std::string(status.message()).find(text) != std::string::npos;
  if (matches && status.remedy()[0] != '\0') return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "message: " << status.message() << "; remedy: " << status.remedy();
}

Status CreateStatus(const SlabOptions& options) {
  Result<RefPtr<Slab>> made = Slab::Create(options);
  return made.ok() ? OkStatus() : made.TakeStatus();
}

TEST(Slab, HasSixtyFourBuffersOfAMebibyteByDefault) {
  const RefPtr<Slab> slab = MustCreate({.touch = Touch::kNone});
  EXPECT_EQ(slab->buffer_bytes(), kMebibyte);
  EXPECT_EQ(slab->buffer_count(), 64u);
  EXPECT_EQ(slab->total_bytes(), 64 * kMebibyte);
  EXPECT_FALSE(slab->adopted());
}

TEST(Slab, RejectsInvalidSizes) {
  EXPECT_TRUE(IsInvalid(CreateStatus({.buffer_bytes = 513}), "buffer_bytes"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.buffer_bytes = UINT64_MAX}), "buffer_bytes"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.buffer_count = Slab::kBufferCountMax + 1}), "buffer_count"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.buffer_count = UINT64_MAX}), "buffer_count"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.buffer_bytes = uint64_t{1} << 62, .buffer_count = 8}),
                        "buffer_bytes"));
  EXPECT_TRUE(
      IsInvalid(CreateStatus({.buffer_bytes = uint64_t{1} << 62, .buffer_count = 3}), "mapping"));
}

TEST(Slab, RejectsUnknownConstants) {
  EXPECT_TRUE(IsInvalid(CreateStatus({.huge_pages = HugePages{3}}), "huge_pages"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.huge_page_kind = PageKind{4}}), "huge_page_kind"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.huge_page_kind = PageKind::kOrdinary}), "huge_page_kind"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.numa_policy = NumaPolicy{3}}), "numa_policy"));
  EXPECT_TRUE(IsInvalid(CreateStatus({.touch = Touch{2}}), "touch"));
}

TEST(Slab, ReturnsExhaustedWhenThereIsNoMemory) {
  const Status status = CreateStatus(
      {.buffer_bytes = uint64_t{1} << 30, .buffer_count = 1 << 20, .touch = Touch::kNone});
  EXPECT_EQ(status.code(), Code::kExhausted) << status.message();
  EXPECT_NE(std::string(status.remedy()), "");
}

TEST(Slab, MayHaveTheMaximumOfBuffers) {
  const RefPtr<Slab> slab = MustCreate(
      {.buffer_bytes = 512, .buffer_count = Slab::kBufferCountMax, .touch = Touch::kNone});
  const Lease lease = MustAcquire(slab.get(), static_cast<uint32_t>(Slab::kBufferCountMax));
  EXPECT_EQ(slab->Data(lease), slab->base());
  EXPECT_EQ(slab->Info().leased_count, Slab::kBufferCountMax);
  EXPECT_TRUE(slab->Release(lease).ok());
}

TEST(Slab, EachLeaseHasSeparateMemory) {
  const RefPtr<Slab> slab = MustCreate({.buffer_bytes = 1536, .buffer_count = 5});
  std::vector<Lease> leases;
  for (uint32_t i = 0; i < 5; ++i) {
    leases.push_back(MustAcquire(slab.get(), 1));
    std::memset(slab->Data(leases[i]), static_cast<int>(i + 1), 1536);
  }
  for (uint32_t i = 0; i < 5; ++i) {
    for (uint32_t at = 0; at < 1536; ++at) ASSERT_EQ(slab->Data(leases[i])[at], std::byte(i + 1));
  }
}

TEST(Slab, ReturnsDataOfALeaseOnlyWhileItIsCurrent) {
  const RefPtr<Slab> slab = SmallSlab();
  MustAcquire(slab.get(), 2);
  const Lease lease = MustAcquire(slab.get(), 3);
  EXPECT_EQ(slab->Data(lease), slab->base() + 2 * 4096);
  ASSERT_EQ(slab->Hold(lease.first_index, lease.generation), 3u);
  ASSERT_TRUE(slab->Release(lease).ok());
  EXPECT_EQ(slab->Data(lease), nullptr) << "released, although an operation holds it";
  slab->Unhold(lease.first_index);
  EXPECT_EQ(slab->Data(lease), nullptr);
  EXPECT_EQ(slab->Data({.first_index = 8, .buffer_count = 1, .generation = 1}), nullptr);
  EXPECT_EQ(slab->Data({.first_index = 7, .buffer_count = 1, .generation = 1}), nullptr);
}

TEST(Slab, ReturnsDataOfAnyBufferWithGenerationZero) {
  const RefPtr<Slab> slab = SmallSlab();
  EXPECT_EQ(slab->Data({}), slab->base());
  EXPECT_EQ(slab->Data({.first_index = 7}), slab->base() + 7 * 4096);
  EXPECT_EQ(slab->Data({.first_index = 8}), nullptr);
  EXPECT_EQ(slab->Data({.first_index = UINT32_MAX}), nullptr);
}

TEST(Slab, ReportsItsShapeAndItsUse) {
  const RefPtr<Slab> slab =
      MustCreate({.buffer_bytes = 4096, .buffer_count = 8, .huge_pages = HugePages::kNever});
  const Lease held = MustAcquire(slab.get(), 3);
  MustAcquire(slab.get(), 2);
  slab->Hold(held.first_index, held.generation);
  ASSERT_TRUE(slab->Release(held).ok());
  const RefPtr<Slab> reference(slab.get());
  const SlabInfo info = slab->Info();
  EXPECT_FALSE(info.adopted);
  EXPECT_EQ(info.data, slab->base());
  EXPECT_EQ(info.total_bytes, 8u * 4096);
  EXPECT_EQ(info.buffer_bytes, 4096u);
  EXPECT_EQ(info.buffer_count, 8u);
  EXPECT_EQ(info.page_bytes, PageBytes());
  EXPECT_EQ(info.page_kind, PageKind::kOrdinary);
  EXPECT_EQ(info.huge_page_total_bytes, 0u);
  EXPECT_EQ(info.touched_bytes, 8u * 4096);
  EXPECT_EQ(info.leased_count, 5u);
  EXPECT_EQ(info.held_count, 3u);
  EXPECT_EQ(info.reference_count, 2u);
  EXPECT_EQ(info.note, "");
}

TEST(Slab, RejectsAcquireAfterClose) {
  const RefPtr<Slab> slab = SmallSlab();
  const Lease lease = MustAcquire(slab.get(), 1);
  slab->Close();
  Lease other;
  EXPECT_EQ(slab->Acquire(1, &other).code(), Code::kInvalidState);
  EXPECT_TRUE(slab->Release(lease).ok());
}

TEST(Slab, LivesUntilItsLastReferenceIsDropped) {
  RefPtr<Slab> slab = SmallSlab();
  RefPtr<Slab> kernel(slab.get());
  const void* data = slab->base();
  slab.reset();
  EXPECT_TRUE(conformance::IsMapped(data));
  kernel.reset();
  EXPECT_FALSE(conformance::IsMapped(data));
}

TEST(Slab, CanBeDestroyedInAForkChild) {
  RefPtr<Slab> slab = SmallSlab();
  const conformance::ChildResult child = conformance::RunInChild([&] {
    slab.reset();
    return "";
  });
  EXPECT_TRUE(child.exited) << child.complaint;
  std::memset(slab->base(), 1, 8 * 4096);
}

class AdoptedSlab : public ::testing::Test {
 protected:
  static constexpr uint64_t kSize = 64 << 10;

  Status AdoptStatus(const SlabOptions& options, uint64_t size_bytes = kSize) {
    Result<RefPtr<Slab>> made = Slab::Adopt(data(), size_bytes, options);
    return made.ok() ? OkStatus() : made.TakeStatus();
  }
  std::byte* data() { return mapping_.data(); }

  Mapping mapping_ = Mapping::Anonymous({.size_bytes = kSize}).value();
};

TEST_F(AdoptedSlab, IsOneBufferByDefault) {
  const RefPtr<Slab> slab = Slab::Adopt(data() + 3, 1001, {}).value();
  EXPECT_EQ(slab->base(), data() + 3);
  EXPECT_EQ(slab->buffer_bytes(), 1001u);
  EXPECT_EQ(slab->buffer_count(), 1u);
  EXPECT_TRUE(slab->adopted());
  EXPECT_TRUE(slab->Info().adopted);
}

TEST_F(AdoptedSlab, HasAsManyBuffersAsFitAndIgnoresTheRest) {
  const RefPtr<Slab> slab = Slab::Adopt(data(), kSize, {.buffer_bytes = 4608}).value();
  EXPECT_EQ(slab->buffer_count(), 14u);
  EXPECT_EQ(slab->total_bytes(), 14u * 4608);
  EXPECT_EQ(MustAcquire(slab.get(), 14).buffer_count, 14u);
}

TEST_F(AdoptedSlab, HasTheRequestedNumberOfBuffers) {
  const RefPtr<Slab> slab =
      Slab::Adopt(data(), kSize, {.buffer_bytes = 4096, .buffer_count = 3}).value();
  EXPECT_EQ(slab->total_bytes(), 3u * 4096);
  EXPECT_EQ(slab->Info().touched_bytes, 0u) << "Adopt has faulted in pages";
}

TEST_F(AdoptedSlab, BelongsToTheCallerAfterDestruction) {
  RefPtr<Slab> slab = Slab::Adopt(data(), kSize, {.buffer_bytes = 4096}).value();
  std::memset(slab->Data(MustAcquire(slab.get(), 1)), 0x77, 4096);
  slab.reset();
  ASSERT_TRUE(conformance::IsMapped(data()));
  EXPECT_EQ(data()[4095], std::byte{0x77});
}

TEST_F(AdoptedSlab, RejectsNoMemoryAndMemoryBeyondTheAddressSpace) {
  EXPECT_TRUE(IsInvalid(Slab::Adopt(nullptr, kSize, {}).TakeStatus(), "NULL"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({}, 0), "empty"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({}, UINT64_MAX), "address space"));
}

TEST_F(AdoptedSlab, RejectsBuffersThatDoNotFit) {
  EXPECT_TRUE(IsInvalid(AdoptStatus({.buffer_bytes = kSize + 512}), "fit"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.buffer_bytes = 4096, .buffer_count = 17}), "fit"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.buffer_bytes = 4096, .buffer_count = UINT64_MAX}), "fit"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.buffer_count = 2}), "fit"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.buffer_bytes = 1000}), "buffer_bytes"));
}

TEST_F(AdoptedSlab, RejectsOptionsThatOnlyCreateCanApply) {
  EXPECT_TRUE(IsInvalid(AdoptStatus({.huge_pages = HugePages::kRequire}), "huge_pages"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.huge_pages = HugePages::kNever}), "huge_pages"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.huge_page_kind = PageKind::kHugetlb}), "huge_page_kind"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.numa_policy = NumaPolicy::kBind}), "numa_policy"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.touch = Touch::kNone}), "touch"));
  EXPECT_TRUE(IsInvalid(AdoptStatus({.touch_thread_count = 2}), "touch_thread_count"));
}

}  // namespace
}  // namespace mooring
