#include "cpp/registration/pin_ladder.h"

#include <algorithm>
#include <cerrno>

#include "cpp/base/checked.h"

namespace mooring {
namespace {

bool IsLimited(const EngineInfo& engine) {
  return !engine.memlock_exempt && ReadMemlockLimits().soft_bytes != UINT64_MAX;
}

}  // namespace

// The kernel charges complete pages, huge pages too (measured: 4 KiB in a 2 MiB page costs 2 MiB,
// 5.10 to 7.0).
uint64_t PinLadder::Charge(uint64_t size) const {
  return CheckedAlignUp(size, slab_->page_bytes()).value_or(size);
}

bool PinLadder::IsLimited() const { return mooring::IsLimited(table_.engine_info()); }

Reason PinLadder::Classify(int error, const BufferTable& table) {
  switch (error) {
    case ENOMEM:
      return mooring::IsLimited(table.engine_info()) ? Reason::kMemlockLimit : Reason::kOutOfMemory;
    case EBUSY:
      return table.traits().may_refuse_for_now ? Reason::kKernelTooOld : Reason::kOutOfMemory;
    case ENOSPC:
      return Reason::kTableFull;
    case EPERM:
    case EACCES:
    case ENOSYS:
      return Reason::kRegisterDenied;
    // The kernel does not pin this memory. EOPNOTSUPP: file-backed, up to 6.4. EFAULT: file-backed
    // from 6.5 on, or not mapped, or not writable. EINVAL: a range of mixed backing, up to 6.4.
    case EOPNOTSUPP:
    case EFAULT:
    case EINVAL:
      return Reason::kBackingRefused;
    default:
      return Reason::kOutOfMemory;
  }
}

Reason PinLadder::TableReason(const EngineInfo& engine, const MemlockLimits& memlock) {
  if (engine.kind == EngineKind::kThreads) return Reason::kEngineThreads;
  if (engine.fixed_buffer_count > 0) return Reason::kNone;
  switch (engine.table_error) {
    case EPERM:
    case EACCES:
    case ENOSYS:
      return Reason::kRegisterDenied;
    case ENOMEM:
      return !engine.memlock_exempt && memlock.soft_bytes != UINT64_MAX ? Reason::kMemlockLimit
                                                                        : Reason::kOutOfMemory;
    default:
      return Reason::kKernelTooOld;
  }
}

// What is left of the budget, if no other process of this user holds any.
uint64_t PinLadder::LedgerRoom() const {
  return MemlockLedger::RoomUnder(ReadMemlockLimits().soft_bytes);
}

BufferTable::Pinned PinLadder::TryPin(uint64_t offset, uint64_t size) {
  return table_.Pin(slab_, {offset, size, Charge(size)});
}

std::vector<BufferTable::Pinned> PinLadder::PinTogether(
    std::span<const BufferTable::Range> ranges) {
  std::vector<BufferTable::Range> charged(ranges.begin(), ranges.end());
  uint64_t total = 0;
  for (BufferTable::Range& range : charged) total += range.charge_bytes = Charge(range.size);
  if (IsLimited() && total > LedgerRoom()) return {};
  std::vector<BufferTable::Pinned> pinned(ranges.size());
  table_.Pin(slab_, charged, pinned);
  return pinned;
}

PinnedPrefix PinLadder::Pin(uint64_t offset, uint64_t size) {
  // A second pin of the same pages would be charged a second time (measured, 5.10 to 7.0).
  BufferTable::Pinned pinned = table_.Clone(slab_, offset, size, PinDirectory::Match::kExact);
  if (pinned.error == 0) return PinnedPrefix{size, pinned, Reason::kNone, 0};
  return effort_ == Effort::kWithPauses ? PinWithPauses(offset, size) : PinInOneTry(offset, size);
}

PinnedPrefix PinLadder::PinWithPauses(uint64_t offset, uint64_t size) {
  MemlockBackoff backoff;
  BufferTable::Pinned pinned = TryPin(offset, size);
  // A pause cannot help when all of the budget is not enough, or when no limit applies.
  while (pinned.error == ENOMEM && IsLimited() && Charge(size) <= LedgerRoom() && backoff.Wait()) {
    pinned = TryPin(offset, size);
  }
  if (pinned.error == ENOMEM && raise_memlock_ && RaiseMemlockSoftLimit().ok())
    pinned = TryPin(offset, size);
  if (pinned.error == 0) return PinnedPrefix{size, pinned, Reason::kNone, 0};
  const Reason reason = Classify(pinned.error, table_);
  if (reason == Reason::kMemlockLimit) {
    const BufferTable::Pinned cloned =
        table_.Clone(slab_, offset, size, PinDirectory::Match::kPrefix);
    if (cloned.error == 0) return PinnedPrefix{cloned.size, cloned, Reason::kNone, 0};
  }
  PinnedPrefix prefix;
  if (reason == Reason::kMemlockLimit) prefix = LargestPrefix(offset, size, backoff);
  prefix.reason = reason;
  prefix.system_error = pinned.error;
  return prefix;
}

// A try that fails is not free: the kernel faults all pages in before it checks the limit. So this
// tries once, and only what the ledger has room for.
PinnedPrefix PinLadder::PinInOneTry(uint64_t offset, uint64_t size) {
  uint64_t fits = size;
  if (IsLimited() && Charge(size) > LedgerRoom()) {
    fits = AlignDown(LedgerRoom(), slab_->page_bytes()) / slab_->buffer_bytes() *
           slab_->buffer_bytes();
  }
  PinnedPrefix prefix{0, {}, Reason::kMemlockLimit, ENOMEM};
  if (fits > 0) {
    prefix.pinned = TryPin(offset, fits);
    if (prefix.pinned.error == 0) {
      prefix.bytes_fixed = fits;
      if (fits == size) prefix.reason = Reason::kNone;
      return prefix;
    }
    prefix.reason = Classify(prefix.pinned.error, table_);
    prefix.system_error = prefix.pinned.error;
  }
  if (prefix.reason != Reason::kMemlockLimit) return prefix;
  const BufferTable::Pinned cloned =
      table_.Clone(slab_, offset, size, PinDirectory::Match::kPrefix);
  return cloned.error == 0 ? PinnedPrefix{cloned.size, cloned, Reason::kNone, 0} : prefix;
}

// A failed try pins nothing. A successful one that a larger one replaces returns its budget a
// second late up to 6.3. So the first guess is what is left according to the ledger, which is exact
// when no other process of this user holds any. Only if that fails does a search begin, and it
// replaces what it has only for a much larger prefix.
PinnedPrefix PinLadder::LargestPrefix(uint64_t offset, uint64_t size,
                                      MemlockBackoff& first_backoff) {
  // The part of a buffer at the end of a prefix would be of no use to a lease.
  const uint64_t step = slab_->buffer_bytes();
  const uint64_t budget = AlignDown(LedgerRoom(), slab_->page_bytes());
  // A number of buffers that is known not to fit: all of them, or more than the ledger has room
  // for. The ledger may count too little, never too much.
  uint64_t too_many = std::min((size + step - 1) / step, budget / step + 1);
  uint64_t guess = too_many - 1;
  PinnedPrefix best;
  const uint64_t first_guess = guess;
  while (guess > 0) {
    BufferTable::Pinned pinned = TryPin(offset, guess * step);
    if (pinned.error == ENOMEM && guess == first_guess && first_backoff.Wait()) continue;
    if (pinned.error == 0) {
      best.bytes_fixed = guess * step;
      best.pinned = pinned;
      break;
    }
    if (pinned.error != ENOMEM) return best;
    too_many = guess;
    guess /= 2;
  }
  // Where each try sets all slots, the search ends here: the next promotion may pin the rest.
  if (best.bytes_fixed == 0 || table_.traits().sets_slots_together) return best;
  // Halving may have stopped at half of what fits. The caller expects one prefix per extent, so a
  // larger prefix replaces the smaller one, and only while it is larger by an eighth or more.
  uint64_t fits = best.bytes_fixed / step;
  while (too_many - fits > 1 && (too_many - fits) * 8 > fits) {
    const uint64_t middle = fits + (too_many - fits) / 2;
    table_.Unpin({&best.pinned.key, 1});
    MemlockBackoff backoff;
    BufferTable::Pinned pinned = TryPin(offset, middle * step);
    if (pinned.error == 0) {
      fits = middle;
    } else {
      too_many = middle;
      // The smaller prefix fits again as soon as its budget is back, unless another process has
      // taken it.
      do {
        pinned = TryPin(offset, fits * step);
      } while (pinned.error == ENOMEM && backoff.Wait());
      if (pinned.error != 0) return PinnedPrefix{};
    }
    best.pinned = pinned;
    best.bytes_fixed = fits * step;
  }
  return best;
}

}  // namespace mooring
