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

// Pages are charged whole, huge ones too (measured: 4 KiB in a 2 MiB page costs 2 MiB, 5.10
// to 7.0).
uint64_t PinLadder::Charge(uint64_t size) const {
  return CheckedAlignUp(size, slab_->page_bytes()).value_or(size);
}

bool PinLadder::IsLimited() const { return mooring::IsLimited(table_.engine_info()); }

Reason PinLadder::Classify(int error, const EngineInfo& engine) {
  switch (error) {
    case ENOMEM:
      return mooring::IsLimited(engine) ? Reason::kMemlockLimit : Reason::kOutOfMemory;
    case EBUSY:  // where the table can only be registered whole: the ring is not idle
      return (engine.features & kFeatureBufferUpdate) == 0 ? Reason::kKernelTooOld
                                                           : Reason::kOutOfMemory;
    case ENOSPC:
      return Reason::kTableFull;
    case EPERM:
    case EACCES:
    case ENOSYS:
      return Reason::kRegisterDenied;
    // The kernel's words for memory it will not pin: EOPNOTSUPP for file-backed up to 6.4, EFAULT
    // from 6.5 on and for what is not mapped or not writable, EINVAL for a range of mixed backing
    // up to 6.4.
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

// What the budget has left, if no other process of this user holds any.
uint64_t PinLadder::LedgerRoom() const {
  return MemlockLedger::RoomUnder(ReadMemlockLimits().soft_bytes);
}

BufferTable::Pinned PinLadder::TryPin(uint64_t offset, uint64_t size) {
  return table_.Pin(slab_, offset, size, Charge(size));
}

std::vector<BufferTable::Pinned> PinLadder::PinTogether(
    std::span<const BufferTable::Range> ranges) {
  std::vector<BufferTable::Range> charged(ranges.begin(), ranges.end());
  uint64_t total = 0;
  for (BufferTable::Range& range : charged) total += range.charge_bytes = Charge(range.size);
  if (IsLimited() && total > LedgerRoom()) return {};
  std::vector<BufferTable::Pinned> pinned(ranges.size());
  if (!table_.PinTogether(slab_, charged, pinned)) pinned.clear();
  return pinned;
}

PinnedPrefix PinLadder::Pin(uint64_t offset, uint64_t size) {
  // A second pin of the same pages would be charged a second time (measured, 5.10 to 7.0).
  BufferTable::Pinned pinned = table_.Clone(slab_, offset, size, PinDirectory::Match::kWhole);
  if (pinned.error == 0) return PinnedPrefix{size, pinned, Reason::kNone, 0};
  return effort_ == Effort::kPatient ? PinPatiently(offset, size) : PinPromptly(offset, size);
}

PinnedPrefix PinLadder::PinPatiently(uint64_t offset, uint64_t size) {
  MemlockBackoff backoff;
  BufferTable::Pinned pinned = TryPin(offset, size);
  // Waiting for all of it is pointless when not even all of the budget would do, or none is asked
  // for.
  while (pinned.error == ENOMEM && IsLimited() && Charge(size) <= LedgerRoom() && backoff.Wait()) {
    pinned = TryPin(offset, size);
  }
  if (pinned.error == ENOMEM && raise_memlock_ && RaiseMemlockSoftLimit().ok())
    pinned = TryPin(offset, size);
  if (pinned.error == 0) return PinnedPrefix{size, pinned, Reason::kNone, 0};
  const Reason reason = Classify(pinned.error, table_.engine_info());
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

// A try that fails is not free: the kernel faults all pages in before it looks at the limit. So
// only what the ledger has room for is tried, once.
PinnedPrefix PinLadder::PinPromptly(uint64_t offset, uint64_t size) {
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
    prefix.reason = Classify(prefix.pinned.error, table_.engine_info());
    prefix.system_error = prefix.pinned.error;
  }
  if (prefix.reason != Reason::kMemlockLimit) return prefix;
  const BufferTable::Pinned cloned =
      table_.Clone(slab_, offset, size, PinDirectory::Match::kPrefix);
  return cloned.error == 0 ? PinnedPrefix{cloned.size, cloned, Reason::kNone, 0} : prefix;
}

// A failed try costs nothing and leaves nothing; a successful one that is given up for a larger one
// returns its budget a second late up to 6.3. So the first guess is what the ledger says is left,
// which is exact when no other process of this user holds any; only where that fails does a search
// begin, and it keeps what it has unless much is to be won.
PinnedPrefix PinLadder::LargestPrefix(uint64_t offset, uint64_t size,
                                      MemlockBackoff& first_backoff) {
  // A prefix that ends inside a buffer would serve no lease.
  const uint64_t step = slab_->buffer_bytes();
  const uint64_t budget = AlignDown(LedgerRoom(), slab_->page_bytes());
  // Buffers that are known not to fit: all, and more than the ledger has room for, which counts too
  // little if anything.
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
  // Where each try registers the whole table anew, the next promotion may win the rest.
  if (best.bytes_fixed == 0 || table_.changes_whole()) return best;
  // Halving may have stopped at half of what fits: win back the rest, in a slot of its own beside
  // the first. The caller sees one prefix per extent, so grow by replacing, and only while it wins
  // an eighth or more.
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
      // What fitted a moment ago fits again as soon as its budget is back, unless another process
      // was faster.
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
