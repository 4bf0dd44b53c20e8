#include "testing/random/arena.h"

#include <algorithm>
#include <cinttypes>

#include "testing/random/invariant.h"
#include "testing/support/eventually.h"

namespace mooring::workload {
namespace {

constexpr uint64_t kBufferBytes[] = {1536, 4096, 8192, 16384};

mooring_slab_info_t InfoOf(const mooring_slab_t* slab) {
  mooring_slab_info_t info{.struct_size = sizeof(info)};
  MUST(mooring_slab_get_info(slab, &info));
  return info;
}

}  // namespace

Arena::Arena(Decisions& decisions, Tally& tally)
    : tally_(tally),
      buffer_bytes_(kBufferBytes[decisions.Below(std::size(kBufferBytes))]),
      holders_(decisions.Between(24, 96)) {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = buffer_bytes_;
  mooring_slab_t* slab = nullptr;
  if (decisions.Chance(50)) {
    memory_ = std::make_unique<conformance::MappedMemory>(buffer_bytes_ * holders_.size());
    MUST(mooring_slab_adopt(memory_->data(), memory_->size(), &options, &slab));
    tally_.Add(Step::kSlabAdopted);
  } else {
    options.buffer_count_max = decisions.Chance(50) ? holders_.size() : 0;
    options.buffer_count = options.buffer_count_max == 0 ? holders_.size() : holders_.size() / 2;
    options.touch = decisions.Chance(50) ? MOORING_TOUCH_NOW : MOORING_TOUCH_NONE;
    options.huge_pages = MOORING_HUGE_PAGES_NEVER;
    MUST(mooring_slab_create(&options, &slab));
    tally_.Add(Step::kSlabCreated);
  }
  slab_.reset(slab);
  data_ = static_cast<std::byte*>(InfoOf(slab).data);
}

SharedLease Arena::Acquire(uint32_t buffer_count) {
  auto use = std::make_shared<LeaseUse>();
  const mooring_code_t code = CodeOf(mooring_slab_acquire(slab(), buffer_count, &use->lease));
  if (code == MOORING_CODE_EXHAUSTED) return nullptr;
  INVARIANT(code == MOORING_CODE_OK && use->lease.buffer_count == buffer_count,
            "acquire gave %s, %u buffers", mooring_code_name(code), use->lease.buffer_count);
  return Hold(std::move(use));
}

SharedLease Arena::Take(const mooring_lease_t& lease) {
  auto use = std::make_shared<LeaseUse>();
  use->lease = lease;
  return Hold(std::move(use));
}

SharedLease Arena::Hold(std::shared_ptr<LeaseUse> use) {
  const mooring_lease_t& lease = use->lease;
  INVARIANT(lease.generation != 0 && lease.first_index + lease.buffer_count <= holders_.size(),
            "lease of %u buffers at %u, generation %u", lease.buffer_count, lease.first_index,
            lease.generation);
  for (uint32_t i = 0; i < lease.buffer_count; ++i) {
    const uint32_t before = holders_[lease.first_index + i].exchange(lease.generation);
    INVARIANT(before == 0, "buffer %u is on lease already, as generation %u", lease.first_index + i,
              before);
  }
  use->slab_offset = lease.first_index * buffer_bytes_;
  use->size = lease.buffer_count * buffer_bytes_;
  use->data = static_cast<std::byte*>(mooring_slab_data(slab(), lease));
  INVARIANT(use->data == data_ + use->slab_offset, "the lease of buffer %u is at %p",
            lease.first_index, static_cast<void*>(use->data));
  return use;
}

void Arena::Release(LeaseUse& use) {
  if (use.is_released.exchange(true)) return;
  for (uint32_t i = 0; i < use.lease.buffer_count; ++i) {
    const uint32_t holder = holders_[use.lease.first_index + i].exchange(0);
    INVARIANT(holder == use.lease.generation, "buffer %u is of generation %u, not %u",
              use.lease.first_index + i, holder, use.lease.generation);
  }
  MUST(mooring_slab_release(slab(), use.lease));
  tally_.Add(use.users.load() > 0 ? Step::kLeaseReleasedEarly : Step::kLeaseReleased);
}

void Arena::Grow(Decisions& decisions) {
  const uint64_t buffer_count = decisions.Between(1, 8);
  const mooring_code_t code = CodeOf(mooring_slab_grow(slab(), buffer_count));
  const mooring_slab_info_t info = InfoOf(slab());
  INVARIANT(info.data == data_, "a slab moved from %p to %p", static_cast<void*>(data_), info.data);
  INVARIANT(info.buffer_count <= info.buffer_count_max,
            "%" PRIu64 " of at most %" PRIu64 " buffers", info.buffer_count, info.buffer_count_max);
  tally_.Add(code == MOORING_CODE_OK ? Step::kSlabGrown : Step::kGrowthRefused);
  switch (code) {
    case MOORING_CODE_OK:
    case MOORING_CODE_INVALID_STATE:  // REQUIRE, with a ring whose owner is another thread
    case MOORING_CODE_MEMLOCK_LIMIT:  // REQUIRE, as the next
    case MOORING_CODE_EXHAUSTED:      // no slot is free
      return;
    case MOORING_CODE_UNSUPPORTED:
      INVARIANT(is_adopted(), "a slab that was created gave %s", mooring_code_name(code));
      return;
    default:
      INVARIANT(code == MOORING_CODE_INVALID_ARGUMENT &&
                    info.buffer_count + buffer_count > info.buffer_count_max,
                "growing by %" PRIu64 " gave %s", buffer_count, mooring_code_name(code));
  }
}

bool Arena::TryClose() {
  constexpr int64_t kBrieflyNs = 10'000'000;
  const mooring_code_t code = CodeOf(mooring_slab_close(slab(), kBrieflyNs));
  INVARIANT(code == MOORING_CODE_OK || code == MOORING_CODE_TIMEOUT, "close gave %s",
            mooring_code_name(code));
  return code == MOORING_CODE_OK;
}

void Arena::ExpectUnused(const std::vector<SharedLease>& leftover) {
  for (const SharedLease& use : leftover) Release(*use);
  const mooring_slab_info_t info = InfoOf(slab());
  INVARIANT(info.leased_count == 0 && info.held_count == 0 && info.kernel_reference_count == 0,
            "%" PRIu64 " leased, %" PRIu64 " held, %" PRIu64 " references after the close",
            info.leased_count, info.held_count, info.kernel_reference_count);
}

}  // namespace mooring::workload
