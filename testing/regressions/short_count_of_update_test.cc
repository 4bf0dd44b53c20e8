// When the kernel can carry out only a part of a table update, it returns a short positive count.
// The library took that for complete success: operations then named empty slots, and failed. A
// partial success must be used: the prefix that fits stays pinned, and the rest takes the copy
// path.
#include <gtest/gtest.h>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/registration/buffer_table.h"
#include "cpp/registration/registration.h"
#include "cpp/slabs/slab.h"

namespace mooring {
namespace {

constexpr uint64_t kExtentBytes = 64 * 1024;

TEST(ShortCountOfUpdate, PrefixThatFitsIsPinnedAndOnlyItsSlotsAreUsed) {
  FakeEngine engine;
  engine.budget_bytes = 3 * kExtentBytes;
  const RefPtr<BufferTable> table = MakeRef<BufferTable>(&engine);
  SlabOptions slab_options;
  slab_options.buffer_bytes = kExtentBytes;
  slab_options.buffer_count = 5;
  slab_options.huge_pages = HugePages::kNever;
  Result<RefPtr<Slab>> slab = Slab::Create(slab_options);
  ASSERT_TRUE(slab.ok());
  RegistrationOptions options;
  options.extent_bytes_max = kExtentBytes;
  {
    const auto registration = Registration::Create(table, slab.value(), options);
    ASSERT_TRUE(registration.ok());
    EXPECT_EQ(engine.pinned_bytes(), 3 * kExtentBytes);
    for (uint64_t extent = 0; extent < 5; ++extent) {
      const int32_t slot = registration.value()->SlotFor(extent * kExtentBytes, kExtentBytes);
      EXPECT_EQ(slot != kNoBufferSlot, extent < 3) << "extent " << extent;
      if (slot != kNoBufferSlot) {
        EXPECT_EQ(engine.slots[static_cast<uint32_t>(slot)].bytes, kExtentBytes);
      }
    }
  }
  table->Detach();
}

}  // namespace
}  // namespace mooring
