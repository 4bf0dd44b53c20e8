// After creation, the data path allocates nothing, and neither do its errors.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

#include "cpp/slabs/slab.h"

namespace {

std::atomic<uint64_t> allocation_count{0};

// These two are not inlined: compilers would see malloc paired with delete, and warn.
[[gnu::noinline]] void* Count(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
  ++allocation_count;
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  return memory;
}

[[gnu::noinline]] void Discard(void* memory) { std::free(memory); }

}  // namespace

// All forms of new and delete, so that none of a sanitizer's forms is used ([new.delete]).
void* operator new(std::size_t size) { return Count(size); }
void* operator new[](std::size_t size) { return Count(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return Count(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return Count(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return Count(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return Count(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return Count(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return Count(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { Discard(memory); }
void operator delete[](void* memory) noexcept { Discard(memory); }
void operator delete(void* memory, std::size_t) noexcept { Discard(memory); }
void operator delete[](void* memory, std::size_t) noexcept { Discard(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { Discard(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { Discard(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { Discard(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { Discard(memory); }

namespace mooring {
namespace {

TEST(SlabAllocation, CounterCounts) {
  const uint64_t before = allocation_count;
  int* volatile made =
      new int(7);  // volatile: compilers may remove a pair of new and delete ([expr.new])
  delete made;
  EXPECT_EQ(allocation_count, before + 1);
}

TEST(SlabAllocation, AcquireHoldReleaseAndUnholdAllocateNothing) {
  const RefPtr<Slab> slab = Slab::Create({.buffer_bytes = 512, .buffer_count = 5000}).value();
  uint64_t errors = 0;
  const uint64_t before = allocation_count;
  for (uint32_t turn = 0; turn < 10000; ++turn) {
    Lease lease;
    Lease large;
    errors += !slab->Acquire(1 + turn % 70, &lease).ok();
    errors += slab->Hold(lease.first_index, lease.generation) == 0;
    errors += slab->Data(lease) == nullptr;
    errors += !slab->Release(lease).ok();
    errors += slab->Release(lease).ok();         // INVALID_STATE
    errors += slab->Acquire(0, &large).ok();     // INVALID_ARGUMENT
    errors += slab->Acquire(5000, &large).ok();  // EXHAUSTED
    slab->Unhold(lease.first_index);
  }
  const uint64_t after = allocation_count;
  EXPECT_EQ(after - before, 0u);
  EXPECT_EQ(errors, 0u);
}

}  // namespace
}  // namespace mooring
