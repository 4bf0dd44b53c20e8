// Slabs: memory with the requested properties, and a report of the actual ones.

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "testing/support/conformance_fixture.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

class Slabs : public ConformanceTest {
 protected:
  static uint64_t PageBytes() { return static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

  static mooring_error_t* Create(const mooring_slab_options_t& options) {
    mooring_slab_t* slab = nullptr;
    mooring_error_t* error = mooring_slab_create(&options, &slab);
    EXPECT_TRUE(error == nullptr || slab == nullptr) << "an error and a slab";
    mooring_slab_destroy(slab);
    return error;
  }
};

CONFORMANCE_TEST(Slabs, InfoReportsTheSizes, kAnywhere) {
  const Slab slab = CreateSlab();
  ASSERT_NE(slab, nullptr);
  const mooring_slab_info_t info = Info(slab);
  EXPECT_EQ(info.adopted, 0u);
  EXPECT_EQ(info.buffer_bytes, kBufferBytes);
  EXPECT_EQ(info.buffer_count, kBufferCount);
  EXPECT_EQ(info.total_bytes, kSlabBytes);
  EXPECT_EQ(info.leased_count, 0u);
  EXPECT_EQ(info.held_count, 0u);
  EXPECT_EQ(info.data, Data(slab));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(info.data) % PageBytes(), 0u);
}

CONFORMANCE_TEST(Slabs, ZeroMeansSixtyFourBuffersOfAMebibyte, kAnywhere) {
  const Slab slab = CreateSlab(SlabOptions(0, 0));
  ASSERT_NE(slab, nullptr);
  EXPECT_EQ(Info(slab).buffer_bytes, uint64_t{1} << 20);
  EXPECT_EQ(Info(slab).buffer_count, 64u);
}

CONFORMANCE_TEST(Slabs, EveryByteCanBeWritten, kAnywhere) {
  const Slab slab = CreateSlab();
  ASSERT_NE(slab, nullptr);
  EXPECT_TRUE(IsAll(Data(slab), std::byte{0}, kSlabBytes)) << "new memory is zero";
  FillPattern(Data(slab), 4, 0, kSlabBytes);
  EXPECT_TRUE(HasPattern(Data(slab), 4, 0, kSlabBytes));
}

CONFORMANCE_TEST(Slabs, PrefaultedMemoryIsResidentAndOtherIsNot, kBasePages) {
  mooring_slab_options_t options = SlabOptions();
  options.huge_pages = MOORING_HUGE_PAGES_NEVER;
  options.touch = MOORING_TOUCH_NOW;
  EXPECT_EQ(Info(CreateSlab(options)).touched_bytes, kSlabBytes);
  options.touch = MOORING_TOUCH_NONE;
  EXPECT_EQ(Info(CreateSlab(options)).touched_bytes, 0u);
}

CONFORMANCE_TEST(Slabs, BasePagesWhenHugePagesAreForbidden, kAnywhere) {
  mooring_slab_options_t options = SlabOptions();
  options.huge_pages = MOORING_HUGE_PAGES_NEVER;
  const Slab slab = CreateSlab(options);
  ASSERT_NE(slab, nullptr);
  EXPECT_EQ(Info(slab).page_kind, MOORING_PAGE_KIND_ORDINARY);
  EXPECT_EQ(Info(slab).page_bytes, PageBytes());
  EXPECT_EQ(Info(slab).huge_page_total_bytes, 0u);
}

CONFORMANCE_TEST(Slabs, PageKindIsTheConfigurations, kAnywhere) {
  const Slab slab = CreateSlab();
  ASSERT_NE(slab, nullptr);
  const mooring_slab_info_t info = Info(slab);
  if (SlabOptions().huge_pages != MOORING_HUGE_PAGES_REQUIRE) {
    // AUTO: either kind, but the report must be right.
    EXPECT_EQ(info.page_kind == MOORING_PAGE_KIND_ORDINARY, info.page_bytes == PageBytes());
    EXPECT_EQ(info.page_kind == MOORING_PAGE_KIND_ORDINARY, info.huge_page_total_bytes == 0);
    return;
  }
  EXPECT_TRUE(info.page_kind == MOORING_PAGE_KIND_TRANSPARENT ||
              info.page_kind == MOORING_PAGE_KIND_HUGETLB);
  EXPECT_GT(info.page_bytes, PageBytes());
  EXPECT_EQ(info.huge_page_total_bytes, info.total_bytes);
  EXPECT_STREQ(info.note, "");
}

CONFORMANCE_TEST(Slabs, NodeIsReportedAndBound, kAnywhere) {
  mooring_slab_options_t options = SlabOptions();
  options.numa_policy = MOORING_NUMA_POLICY_BIND;
  options.numa_node = 0;
  mooring_slab_t* bound = nullptr;
  mooring_error_t* error = mooring_slab_create(&options, &bound);
  const Slab slab(bound);
  if (error != nullptr) {
    EXPECT_REFUSED(error, MOORING_CODE_UNSUPPORTED, "NUMA");
    return;
  }
  const int32_t node = Info(slab).numa_node;
  EXPECT_TRUE(node == 0 || node == -1) << node;
}

CONFORMANCE_TEST(Slabs, AMissingNodeIsRefused, kAnywhere) {
  mooring_slab_options_t options = SlabOptions();
  options.numa_policy = MOORING_NUMA_POLICY_BIND;
  options.numa_node = 1000;
  const Failure failure = Take(Create(options));
  EXPECT_TRUE(failure.code == MOORING_CODE_NOT_FOUND || failure.code == MOORING_CODE_UNSUPPORTED)
      << failure.ToString();
  EXPECT_TRUE(ContainsIgnoringCase(failure.message,
                                   failure.code == MOORING_CODE_NOT_FOUND ? "1000" : "NUMA"))
      << failure.message;
  EXPECT_NE(failure.remedy, "");
}

CONFORMANCE_TEST(Slabs, MemoryIsUnmapped, kAnywhere) {
  Slab slab = CreateSlab();
  ASSERT_NE(slab, nullptr);
  const void* data = Data(slab);
  EXPECT_TRUE(IsMapped(data));
  slab.reset();
  EXPECT_FALSE(IsMapped(data)) << "not unmapped by destroy, although nothing used it";
}

CONFORMANCE_TEST(Slabs, RefusesInvalidSizes, kAnywhere) {
  EXPECT_REFUSED(Create(SlabOptions(1, 513)), MOORING_CODE_INVALID_ARGUMENT, "buffer_bytes", "513");
  EXPECT_REFUSED(Create(SlabOptions((uint64_t{1} << 24) + 1, 512)), MOORING_CODE_INVALID_ARGUMENT,
                 "buffer_count");
  EXPECT_REFUSED(Create(SlabOptions(uint64_t{1} << 24, uint64_t{1} << 62)),
                 MOORING_CODE_INVALID_ARGUMENT);
}

CONFORMANCE_TEST(Slabs, RefusesMoreMemoryThanTheMachineHas, kAnywhere) {
  mooring_slab_options_t options =
      SlabOptions(uint64_t{1} << 20, uint64_t{1} << 30);  // 2^50 bytes, more than the address space
  options.touch = MOORING_TOUCH_NONE;
  EXPECT_REFUSED(Create(options), MOORING_CODE_EXHAUSTED);
}

CONFORMANCE_TEST(Slabs, RefusesUnknownOptions, kAnywhere) {
  mooring_slab_options_t options = SlabOptions();
  options.flags = 1u << 31;
  EXPECT_REFUSED(Create(options), MOORING_CODE_UNSUPPORTED, "flags");
  options = SlabOptions();
  options.huge_pages = 99;
  EXPECT_REFUSED(Create(options), MOORING_CODE_INVALID_ARGUMENT, "huge_pages");
  options = SlabOptions();
  options.numa_policy = 99;
  EXPECT_REFUSED(Create(options), MOORING_CODE_INVALID_ARGUMENT, "numa_policy");
  options = SlabOptions();
  options.touch = 99;
  EXPECT_REFUSED(Create(options), MOORING_CODE_INVALID_ARGUMENT, "touch");
}

}  // namespace
}  // namespace mooring::conformance
