#include "cpp/registration/buffer_table.h"

#include <gtest/gtest.h>

#include <vector>

#include "cpp/engine/testing/fake_engine.h"

namespace mooring {
namespace {

constexpr uint64_t kBuffer = 4096;
constexpr uint32_t kSlots = SlotTable::kSlotCountMax;
// An upper bound of the entries that pinning and unpinning one range looks at.
constexpr uint64_t kVisitsPerPin = 16;

class BufferTableTest : public testing::Test {
 protected:
  BufferTableTest() {
    slab_ = Slab::Create({.buffer_bytes = kBuffer,
                          .buffer_count = kSlots,
                          .huge_pages = HugePages::kNever,
                          .touch = Touch::kNone})
                .value();
  }
  ~BufferTableTest() override { table_->Detach(); }

  void MakeTable() { table_ = MakeRef<BufferTable>(&engine_); }
  std::vector<uint64_t> PinAll() {
    std::vector<uint64_t> keys;
    for (uint32_t i = 0; i < kSlots; ++i) {
      const BufferTable::Pinned pinned = table_->Pin(slab_, {i * kBuffer, kBuffer, kBuffer});
      EXPECT_EQ(pinned.error, 0);
      keys.push_back(pinned.key);
    }
    return keys;
  }
  void DeliverTags() {
    Event event;
    while (engine_.Reap({&event, 1}, 0, Deadline()) == 1) table_->OnTag(event.token);
  }

  FakeEngine engine_;
  RefPtr<BufferTable> table_;
  RefPtr<Slab> slab_;
};

// FakeEngine adds up all its slots at each pin, which takes too long for a full table.
class UncheckedEngine final : public FakeEngine {
 public:
  UncheckedEngine() { mutable_info().fixed_buffer_count = kSlots; }
  int UpdateBuffers(uint32_t, std::span<const iovec> ranges,
                    std::span<const uint64_t> range_tags) override {
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (ranges[i].iov_base != nullptr) tags.push_back(range_tags[i]);
    }
    return static_cast<int>(ranges.size());
  }
  std::vector<uint64_t> tags;  // of all slots filled since DeliverTags
};

class FullBufferTableTest : public BufferTableTest {
 protected:
  FullBufferTableTest() { table_ = MakeRef<BufferTable>(&unchecked_); }
  ~FullBufferTableTest() override { table_->Detach(); }  // before its engine is destroyed

  void DeliverTags() {
    for (const uint64_t tag : unchecked_.tags) table_->OnTag(tag);
    unchecked_.tags.clear();
  }

  UncheckedEngine unchecked_;
};

TEST_F(FullBufferTableTest, PinAndUnpinLookAtTheSameNumberOfEntriesHoweverFullTheTableIs) {
  for (int round = 0; round < 2; ++round) {
    const uint64_t before = table_->entry_visit_count();
    for (const uint64_t key : PinAll()) table_->Unpin({&key, 1});
    EXPECT_EQ(table_->awaited_tags(), kSlots);
    DeliverTags();
    EXPECT_EQ(table_->awaited_tags(), 0u);
    EXPECT_LE(table_->entry_visit_count() - before, kVisitsPerPin * kSlots);
  }
  EXPECT_EQ(slab_->RefCount(), 1u);
}

TEST_F(FullBufferTableTest, RunDeferredLooksAtTheDeferredEntriesOnly) {
  const std::vector<uint64_t> keys = PinAll();
  const uint64_t before = table_->entry_visit_count();
  for (const uint64_t key : keys) {
    unchecked_.is_owner = false;
    table_->Unpin({&key, 1});
    unchecked_.is_owner = true;
    table_->RunDeferred();
  }
  EXPECT_EQ(table_->awaited_tags(), kSlots);
  EXPECT_LE(table_->entry_visit_count() - before, kVisitsPerPin * kSlots);
}

TEST_F(FullBufferTableTest, AFullTableRefusesOneMore) {
  const std::vector<uint64_t> keys = PinAll();
  EXPECT_EQ(table_->Pin(slab_, {0, kBuffer, kBuffer}).error, ENOSPC);
  table_->Unpin({keys.data(), 1});
  EXPECT_EQ(table_->Pin(slab_, {0, kBuffer, kBuffer}).error, 0);
}

TEST_F(BufferTableTest, ManyRangesHaveOneResultEach) {
  engine_.mutable_info().fixed_buffer_count = 2;
  MakeTable();
  const std::vector<BufferTable::Range> ranges(3, {0, kBuffer, kBuffer});
  std::vector<BufferTable::Pinned> pinned(3);
  table_->Pin(slab_, ranges, pinned);
  EXPECT_EQ(pinned[0].error, 0);
  EXPECT_EQ(pinned[1].error, 0);
  EXPECT_NE(pinned[0].slot, pinned[1].slot);
  EXPECT_EQ(pinned[2].error, ENOSPC);
  EXPECT_EQ(pinned[2].slot, kNoBufferSlot);
}

TEST_F(BufferTableTest, AKeyIsOfOnePinOnly) {
  MakeTable();
  const uint64_t old_key = table_->Pin(slab_, {0, kBuffer, kBuffer}).key;
  table_->Unpin({&old_key, 1});
  DeliverTags();
  const BufferTable::Pinned next = table_->Pin(slab_, {0, kBuffer, kBuffer});
  EXPECT_FALSE(table_->IsPinned(old_key));
  table_->Unpin({&old_key, 1});
  EXPECT_TRUE(table_->IsPinned(next.key));
}

}  // namespace
}  // namespace mooring
