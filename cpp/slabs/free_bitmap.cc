#include "cpp/slabs/free_bitmap.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "cpp/base/check.h"

namespace mooring {

// For memory orders see free_bitmap.h: Contents, Listing, Empty root.

void FreeBitmap::Freer::operator()(void* memory) const { std::free(memory); }

std::unique_ptr<FreeBitmap> FreeBitmap::Create(uint32_t buffer_count, uint32_t buffer_count_max) {
  CHECK(buffer_count >= 1 && buffer_count <= buffer_count_max &&
        buffer_count_max <= kBufferCountMax);
  std::unique_ptr<FreeBitmap> bitmap(new (std::nothrow) FreeBitmap());
  if (bitmap == nullptr || !bitmap->Allocate(buffer_count_max)) return nullptr;
  bitmap->Grow(buffer_count);
  return bitmap;
}

bool FreeBitmap::Allocate(uint32_t buffer_count_max) {
  buffer_count_max_ = buffer_count_max;
  const uint32_t words = (buffer_count_max + kWordBuffers - 1) / kWordBuffers;
  uint32_t summary_count = 0;
  for (uint32_t count = words; level_count_ == 0 || count > 1;) {
    count = (count + kFanOut - 1) / kFanOut;
    level_words_[++level_count_] = count;
    summary_count += count;
  }
  const size_t line_count = words <= 64 ? words : (words + 511) / 512 * 64;
  const size_t line_bytes = line_count * sizeof(Line);
  // calloc does not write to memory that the kernel provides as zeroes. One more line, for the
  // alignment.
  memory_.reset(std::calloc(1, sizeof(Line) + line_bytes + summary_count * sizeof(uint64_t)));
  if (memory_ == nullptr) return false;
  void* aligned = memory_.get();
  size_t room = sizeof(Line) + line_bytes;
  lines_ = static_cast<Line*>(std::align(alignof(Line), line_bytes, aligned, room));
  summary_ = reinterpret_cast<uint64_t*>(lines_ + line_count);
  for (uint32_t level = 1, first = 0; level <= level_count_; first += level_words_[level++]) {
    levels_[level] = &summary_[first];
  }
  return true;
}

void FreeBitmap::Grow(uint32_t buffer_count) {
  const uint32_t before = buffer_count_.load(std::memory_order_relaxed);
  CHECK(buffer_count <= buffer_count_max_ - before);
  // Before the return, which publishes the count: a thread that claims one of the new buffers then
  // reads the new count.
  buffer_count_.store(before + buffer_count, std::memory_order_relaxed);
  Return({before, buffer_count});
}

void FreeBitmap::ReturnWords(BufferRun run) {
  const uint32_t end = run.first_index + run.buffer_count;
  DCHECK(end <= buffer_count());
  for (uint32_t word = run.first_index / kWordBuffers; word * kWordBuffers < end; ++word) {
    ReturnBits(word, MaskInWord(run, word));
  }
}

uint32_t FreeBitmap::CountFree() const {
  uint32_t count = 0;
  for (uint32_t word = 0; word < word_count(); ++word) {
    // Relaxed: a report needs no order.
    count +=
        static_cast<uint32_t>(std::popcount(FreeBits(Word(word).load(std::memory_order_relaxed))));
  }
  return count;
}

uint32_t FreeBitmap::NextTaken(uint32_t from) const {
  const uint32_t count = buffer_count();
  for (uint32_t word = from / kWordBuffers; word * kWordBuffers < count; ++word) {
    // Relaxed: a report needs no order.
    const uint32_t taken =
        ~FreeBits(Word(word).load(std::memory_order_relaxed)) &
        (word == from / kWordBuffers ? ~uint32_t{0} << from % kWordBuffers : ~uint32_t{0});
    if (taken == 0) continue;
    return std::min(word * kWordBuffers + static_cast<uint32_t>(std::countr_zero(taken)), count);
  }
  return count;
}

uint32_t FreeBitmap::MaskInWord(BufferRun run, uint32_t word) {
  const uint32_t word_first = word * kWordBuffers;
  const uint32_t begin = std::max(run.first_index, word_first) - word_first;
  const uint32_t end =
      std::min(run.first_index + run.buffer_count, word_first + kWordBuffers) - word_first;
  return MaskOf(begin, end);
}

uint32_t FreeBitmap::RunAt(uint32_t word, uint32_t free_bits, uint32_t reach,
                           uint32_t buffer_count) {
  const uint32_t word_first = word * kWordBuffers;
  if (reach + static_cast<uint32_t>(std::countr_one(free_bits)) >= buffer_count)
    return word_first - reach;
  if (buffer_count > kWordBuffers) return kNone;
  // After each step a bit is set only if the `have` bits from it upwards were all set.
  for (uint32_t have = 1; have < buffer_count && free_bits != 0;) {
    const uint32_t step = std::min(have, buffer_count - have);
    free_bits &= free_bits >> step;
    have += step;
  }
  return free_bits == 0 ? kNone : word_first + static_cast<uint32_t>(std::countr_zero(free_bits));
}

bool FreeBitmap::IsChildEmpty(uint32_t level, uint32_t child) const {
  // seq_cst: see free_bitmap.h, Listing.
  if (level == 1) return FreeBits(Word(child).load(std::memory_order_seq_cst)) == 0;
  return Summary(level - 1, child).load(std::memory_order_seq_cst) == 0;
}

uint32_t FreeBitmap::ClaimOne() {
  uint32_t from = SpreadStart();
  for (;;) {
    const uint32_t index = NextListed(from);
    if (index == kNone) {
      if (from == 0) return ClaimRun(1);
      from = 0;
      continue;
    }
    const std::atomic_ref<uint64_t> word = Word(index);
    // Relaxed: only a guess for the exchange.
    uint64_t seen = word.load(std::memory_order_relaxed);
    const uint32_t free_bits = FreeBits(seen);
    if (free_bits == 0) {
      Unlist(1, index);
      from = index;
      continue;
    }
    // Clears the lowest free bit. Acquire pairs with Return: see free_bitmap.h, Contents.
    if (word.compare_exchange_strong(seen, seen & (seen - 1), std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      DecreaseSpreadSometimes(seen);
      return index * kWordBuffers + static_cast<uint32_t>(std::countr_zero(free_bits));
    }
    IncreaseSpread();
    const uint32_t start = SpreadStart();
    from = start != index ? start : index + 1;
  }
}

uint32_t FreeBitmap::ClaimRun(uint32_t buffer_count) {
  if (buffer_count > this->buffer_count()) return kNone;
  if (buffer_count > 1) {
    const SearchResult listed = Search(buffer_count, /*every_word=*/false);
    if (listed.first != kNone) return listed.first;
  }
  SearchResult before;
  before.lost_a_race = true;  // there is no result to compare the first one with
  for (uint64_t left = std::max(kSearchWordsMax / word_count(), kSearchesMin); left > 0; --left) {
    if (RootWasEmpty()) return kNone;
    const SearchResult now = Search(buffer_count, /*every_word=*/true);
    if (now.first != kNone) return now.first;
    // Counts of returns only increase, so equal sums mean that all counts are equal.
    if (!now.lost_a_race && !before.lost_a_race && now.returns == before.returns) return kNone;
    before = now;
  }
  return kNone;
}

FreeBitmap::SearchResult FreeBitmap::Search(uint32_t buffer_count, bool every_word) {
  SearchResult result;
  uint32_t reach = 0;  // free buffers directly before word `next`
  for (uint32_t next = 0;;) {
    const uint32_t index = every_word ? next : NextListed(next);
    if (index >= word_count()) return result;
    if (index != next) reach = 0;
    // seq_cst: all loads of one search come before all loads of the next one (ClaimRun).
    const uint64_t word = Word(index).load(std::memory_order_seq_cst);
    const uint32_t free_bits = FreeBits(word);
    const uint32_t first = RunAt(index, free_bits, reach, buffer_count);
    if (first != kNone) {
      if (TryClaim({first, buffer_count})) {
        result.first = first;
        return result;
      }
      result.lost_a_race = true;
      next = first / kWordBuffers;
      reach = 0;
      continue;
    }
    result.returns += word / kOneReturn;
    if (free_bits == 0 && !every_word) Unlist(1, index);
    const uint32_t tail = static_cast<uint32_t>(std::countl_one(free_bits));
    reach = tail == kWordBuffers ? reach + kWordBuffers : tail;
    next = index + 1;
  }
}

// Words are claimed in ascending order. Among claims that overlap, the claim that holds the highest
// word fails only on a run that another claim has taken completely. So at least one claim succeeds,
// and claims cannot make each other fail without end.
bool FreeBitmap::TryClaim(BufferRun run) {
  const uint32_t end = run.first_index + run.buffer_count;
  for (uint32_t index = run.first_index / kWordBuffers; index * kWordBuffers < end; ++index) {
    const uint32_t mask = MaskInWord(run, index);
    const std::atomic_ref<uint64_t> word = Word(index);
    // Relaxed: only a guess for the exchange. Its acquire pairs with Return: see free_bitmap.h,
    // Contents.
    uint64_t seen = word.load(std::memory_order_relaxed);
    do {
      if ((FreeBits(seen) & mask) != mask) {
        const uint32_t claimed_end = std::max(index * kWordBuffers, run.first_index);
        if (claimed_end > run.first_index) Return({run.first_index, claimed_end - run.first_index});
        return false;
      }
    } while (!word.compare_exchange_weak(seen, seen - mask, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  }
  return true;
}

uint32_t FreeBitmap::NextListed(uint32_t from) {
  uint32_t level = 1;
  uint32_t child = from;  // below `level`
  for (;;) {
    const uint32_t index = child / kFanOut;
    // Relaxed, here and below: a hint. The operation on the word decides.
    const uint64_t all_bits =
        index < level_words_[level] ? Summary(level, index).load(std::memory_order_relaxed) : 0;
    const uint64_t bits = all_bits & (~uint64_t{0} << child % kFanOut);
    if (bits == 0) {
      if (level == level_count_) return kNone;
      // Continue one level higher, behind this summary word. If it is empty, continue at it,
      // because its parent may still list it.
      child = all_bits == 0 ? index : index + 1;
      ++level;
      continue;
    }
    child = index * kFanOut + static_cast<uint32_t>(std::countr_zero(bits));
    // Down to the first listed child of each level.
    for (; level > 1; --level) {
      const uint64_t below = Summary(level - 1, child).load(std::memory_order_relaxed);
      if (below == 0) break;
      child = child * kFanOut + static_cast<uint32_t>(std::countr_zero(below));
    }
    if (level == 1) return child;
    Unlist(level, child);  // the search continues behind it, unless it is listed again
  }
}

void FreeBitmap::List(uint32_t level, uint32_t child) {
  // seq_cst: see free_bitmap.h, Empty root.
  changes_begun_.fetch_add(1, std::memory_order_seq_cst);
  ListUpToRoot(level, child);
  changes_ended_.fetch_add(1, std::memory_order_seq_cst);
}

void FreeBitmap::Unlist(uint32_t level, uint32_t child) {
  // seq_cst: see free_bitmap.h, Empty root and Listing.
  changes_begun_.fetch_add(1, std::memory_order_seq_cst);
  Summary(level, child / kFanOut)
      .fetch_and(~(uint64_t{1} << child % kFanOut), std::memory_order_seq_cst);
  if (!IsChildEmpty(level, child)) ListUpToRoot(level, child);
  changes_ended_.fetch_add(1, std::memory_order_seq_cst);
}

void FreeBitmap::ListUpToRoot(uint32_t level, uint32_t child) {
  for (; level <= level_count_; ++level, child /= kFanOut) {
    const uint64_t bit = uint64_t{1} << child % kFanOut;
    // seq_cst: see free_bitmap.h, Listing. The thread that changes the bit from 0 to 1 continues
    // upwards. If the bit was 1, the thread that set it does so.
    if ((Summary(level, child / kFanOut).fetch_or(bit, std::memory_order_seq_cst) & bit) != 0)
      return;
  }
}

bool FreeBitmap::RootWasEmpty() const {
  // seq_cst: see free_bitmap.h, Empty root.
  const uint64_t ended = changes_ended_.load(std::memory_order_seq_cst);
  const uint64_t root = Summary(level_count_, 0).load(std::memory_order_seq_cst);
  return root == 0 && changes_begun_.load(std::memory_order_seq_cst) == ended;
}

// Relaxed from here on: spread_ is a hint.
uint32_t FreeBitmap::SpreadStart() {
  const uint32_t spread = spread_.load(std::memory_order_relaxed);
  if (spread == 0) return 0;
  const uint32_t lowest = NextListed(0);
  if (lowest == kNone) return 0;
  return lowest + (static_cast<uint32_t>(std::max(sched_getcpu(), 0)) & spread);
}

void FreeBitmap::IncreaseSpread() {
  const uint32_t spread = spread_.load(std::memory_order_relaxed);
  const uint32_t widest = std::bit_floor(std::min(word_count(), kSpreadWordsMax)) - 1;
  if (spread < widest) spread_.store(spread * 2 + 1, std::memory_order_relaxed);
}

// `seen` is the word that a claim has read; consecutive claims read different values. Its hash
// selects one claim in 128. This returns to the lowest buffers soon after a race, and has no
// measurable cost while the race lasts.
void FreeBitmap::DecreaseSpreadSometimes(uint64_t seen) {
  const uint32_t spread = spread_.load(std::memory_order_relaxed);
  if (spread == 0 || (seen * 0x9e3779b97f4a7c15) >> 57 != 0) return;
  spread_.store(spread / 2, std::memory_order_relaxed);
}

}  // namespace mooring
