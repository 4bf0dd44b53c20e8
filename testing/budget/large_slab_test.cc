// The kernel allows at most 1 GiB in one slot. A larger slab takes several slots, and every byte of
// it is fixed. A second ring clones all of them.

#include <gtest/gtest.h>
#include <mooring/mooring.h>
#include <unistd.h>

#include <cstdint>

#include "testing/budget/objects.h"
#include "testing/support/errors.h"
#include "testing/support/files.h"
#include "testing/support/pattern.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kGib = uint64_t{1} << 30;
constexpr uint64_t kBuffer = 1 << 20;
constexpr uint64_t kSlab = kGib + 100 * kBuffer;

uint64_t AvailableMemory() {
  return static_cast<uint64_t>(sysconf(_SC_AVPHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

mooring_extent_info_t Extent(const Registration& registration, uint32_t index) {
  mooring_extent_info_t info{};
  info.struct_size = sizeof info;
  EXPECT_OK(mooring_registration_get_extent(registration.get(), index, &info));
  return info;
}

TEST(LargeSlab, IsPinnedInExtentsOfAGibibyte) {
  SKIP_WITHOUT(AvailableMemory() > 3 * kSlab, "memory", "free 4 GiB");
  const Ring ring = CreateRing(16);
  const Slab slab = CreateSlab(kBuffer, kSlab / kBuffer);
  ASSERT_NE(slab, nullptr);
  const Registration registration = Register(ring, slab);
  const mooring_registration_info_t info = Info(registration);
  SKIP_WITHOUT(info.reason != MOORING_REASON_ENGINE_THREADS, "io_uring", info.remedy);
  SKIP_WITHOUT(info.reason != MOORING_REASON_MEMLOCK_LIMIT, "memlock", info.remedy);
  ASSERT_EQ(info.outcome, MOORING_OUTCOME_FIXED) << info.message;
  EXPECT_EQ(info.bytes_fixed, kSlab);
  ASSERT_EQ(info.extent_count, 2u);
  EXPECT_EQ(Extent(registration, 0).size, kGib);
  EXPECT_EQ(Extent(registration, 1).size, kSlab - kGib);

  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(63, 0, 2 * kBuffer));
  const auto* data = static_cast<std::byte*>(mooring_slab_data(slab.get(), {}));
  struct Case {
    uint64_t offset;
    uint64_t size;
    mooring_path_t path;
  };
  for (const Case& one :
       {Case{0, kBuffer, MOORING_PATH_FIXED}, Case{kGib - kBuffer, kBuffer, MOORING_PATH_FIXED},
        Case{kGib, kBuffer, MOORING_PATH_FIXED},
        Case{kGib - kBuffer, 2 * kBuffer, MOORING_PATH_COPY},
        Case{kSlab - kBuffer, kBuffer, MOORING_PATH_FIXED}}) {
    SCOPED_TRACE(one.offset);
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), one.offset), one.size));
    EXPECT_EQ(read.result, static_cast<int64_t>(one.size));
    EXPECT_EQ(read.path, one.path);
    EXPECT_TRUE(HasPattern(data + one.offset, 63, 0, one.size));
  }

  const Ring second = CreateRing(16);
  const Registration shared = Register(second, slab);
  EXPECT_EQ(Info(shared).outcome, MOORING_OUTCOME_FIXED) << Info(shared).message;
  EXPECT_EQ(Info(shared).extent_count, 2u);
  const mooring_completion_t read =
      RunOne(second, Read(file.get(), 0, InSlab(shared.get(), kGib), kBuffer));
  EXPECT_EQ(read.result, static_cast<int64_t>(kBuffer));
  EXPECT_EQ(read.path, MOORING_PATH_FIXED);
}

}  // namespace
}  // namespace mooring::conformance
