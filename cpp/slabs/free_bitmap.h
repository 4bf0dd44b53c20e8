// FreeBitmap: which buffers of a slab are free, one bit each; claims and returns contiguous runs of
// them, lock-free.
//
// Runs are taken lowest first, because a prefix of a slab may be all of it that is pinned. Only
// when two CPUs race for the same word do single claims spread over more words, one per CPU, for as
// long as the race lasts.
//
// How it works. Buffers are grouped into words of 32, each with a count of the returns it has seen
// beside its free bits. Above them is a tree of summary words, 64 children each. A summary bit says
// that its child is listed: may have something free. The one rule is: a child that has something
// free is listed, once the calls that returned it are done. A claim leaves the tree alone; whoever
// later finds a listed child empty takes it off the list and looks again, for a return may have
// come between.
//
// What "none" means. Claim says none only when at one moment during the call no such run was free:
// it has read an empty root while nobody was changing the tree, or has read all words
// twice with no return in between (a return is seen by its count). A run that another claim holds
// for a moment, only to find the rest of it gone, counts as not free. When others keep returning
// runs that do not fit, Claim gives up after having read kReadingWordsMax words. With nobody else
// at work the answer is exact.
//
// Lifecycle: all memory is allocated by Create, for as many buffers as there may ever be; what none
// of them has needed yet is zeroes that nobody has touched. Grow is Return of buffers that were
// never free.
//
// Threading: any thread, lock-free; Grow one at a time.
//
//   std::unique_ptr<FreeBitmap> free = FreeBitmap::Create(1024);
//   uint32_t first = free->Claim(3);
//   if (first != FreeBitmap::kNone) free->Return({first, 3});
#ifndef MOORING_CPP_SLABS_FREE_BITMAP_H_
#define MOORING_CPP_SLABS_FREE_BITMAP_H_

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "cpp/base/check.h"

namespace mooring {

// Neighbouring buffers.
struct BufferRun {
  uint32_t first_index = 0;
  uint32_t buffer_count = 0;
};

class FreeBitmap {
 public:
  static constexpr uint32_t kBufferCountMax = uint32_t{1} << 24;
  static constexpr uint32_t kNone = UINT32_MAX;

  // All of `buffer_count` buffers free, with room for `buffer_count_max`, which is at most
  // kBufferCountMax. Null when there is no memory for it.
  static std::unique_ptr<FreeBitmap> Create(uint32_t buffer_count, uint32_t buffer_count_max);
  static std::unique_ptr<FreeBitmap> Create(uint32_t buffer_count) {
    return Create(buffer_count, buffer_count);
  }
  // Adds that many free buffers at the end.
  void Grow(uint32_t buffer_count);

  // First buffer of a run that was free and is the caller's now; kNone when there is none.
  // `buffer_count` is not 0.
  uint32_t Claim(uint32_t buffer_count) {
    if (buffer_count != 1) return ClaimRun(buffer_count);
    const uint32_t first = ClaimLowest();
    return first != kNone ? first : ClaimOne();
  }
  // Gives back a run, or part of one, that was claimed.
  void Return(BufferRun run) {
    const uint32_t begin = run.first_index % kWordBuffers;
    if (begin + uint64_t{run.buffer_count} > kWordBuffers) return ReturnWords(run);
    ReturnBits(run.first_index / kWordBuffers, MaskOf(begin, begin + run.buffer_count));
  }

  // For reports: true when given.
  uint32_t CountFree() const;
  // The first buffer from `from` on that is not free; buffer_count() when there is none.
  uint32_t NextTaken(uint32_t from) const;
  // Relaxed: whoever has claimed a buffer, or was given a lease of one, comes after its return,
  // which comes after the count (Grow). To all others any count of a growing slab is as good.
  uint32_t buffer_count() const { return buffer_count_.load(std::memory_order_relaxed); }
  uint32_t buffer_count_max() const { return buffer_count_max_; }

 private:
  static constexpr uint32_t kWordBuffers = 32;
  static constexpr uint32_t kFanOut = 64;
  // 2^24 buffers: 2^19 words, and 2^13, 2^7, 2, 1 summary words.
  static constexpr uint32_t kLevelsMax = 4;
  static constexpr uint32_t kSpreadWordsMax = 64;
  static constexpr uint64_t kReadingWordsMax = uint64_t{1} << 16;
  static constexpr uint64_t kReadingsMin = 8;
  static constexpr uint64_t kOneReturn = uint64_t{1} << 32;  // above the free bits of a word

  // Eight words, reached through std::atomic_ref: unlike an array of std::atomic, zeroes from
  // calloc need not be written to be one.
  struct alignas(64) Line {
    uint64_t words[8];
  };
  struct Freer {
    void operator()(void* memory) const;
  };
  struct Reading {
    uint32_t first = kNone;
    bool lost_a_race = false;
    uint64_t returns = 0;  // of all words, summed
  };

  FreeBitmap() = default;
  bool Allocate(uint32_t buffer_count_max);

  static uint32_t FreeBits(uint64_t word) { return static_cast<uint32_t>(word); }
  static uint32_t MaskOf(uint32_t begin, uint32_t end) {
    return static_cast<uint32_t>((uint64_t{1} << end) - (uint64_t{1} << begin));
  }
  // The bits that a run has in a word.
  static uint32_t MaskInWord(BufferRun run, uint32_t word);
  // First buffer of a run of `buffer_count` in word `word`, of which `reach` buffers end just
  // before it; or kNone.
  static uint32_t RunAt(uint32_t word, uint32_t free_bits, uint32_t reach, uint32_t buffer_count);

  // Neighbouring words are on different cache lines, so that CPUs that have spread share none; 64
  // lines hold 512 words.
  std::atomic_ref<uint64_t> Word(uint32_t word) const {
    return std::atomic_ref(lines_[(word / 512 * 64) + word % 64].words[word / 64 % 8]);
  }
  std::atomic_ref<uint64_t> Summary(uint32_t level, uint32_t index) const {
    return std::atomic_ref(levels_[level][index]);
  }
  uint32_t word_count() const { return (buffer_count() + kWordBuffers - 1) / kWordBuffers; }
  bool IsEmptyBelow(uint32_t level, uint32_t child) const;

  uint32_t ClaimLowest();
  uint32_t ClaimOne();
  uint32_t ClaimRun(uint32_t buffer_count);
  Reading Search(uint32_t buffer_count, bool every_word);
  bool TryClaim(BufferRun run);
  void ReturnWords(BufferRun run);
  void ReturnBits(uint32_t word, uint32_t mask);
  // The first listed word from `from` on; kNone when there is none. Unlists what it finds empty on
  // its way.
  uint32_t NextListed(uint32_t from);
  // `child` is a word for level 1, a summary word of level - 1 above.
  void List(uint32_t level, uint32_t child);
  void Unlist(uint32_t level, uint32_t child);
  void ListUpwards(uint32_t level, uint32_t child);
  bool WasEmpty() const;
  uint32_t SpreadStart();
  void WidenSpread();
  void EaseSpread(uint64_t seen);

  // Read often, written rarely or never.
  std::atomic<uint32_t> buffer_count_{0};
  uint32_t buffer_count_max_ = 0;
  uint32_t level_count_ = 0;  // of buffer_count_max_ buffers
  // By level, from 1: where it begins in summary_, and how many words it has.
  uint64_t* levels_[kLevelsMax + 1] = {};
  uint32_t level_words_[kLevelsMax + 1] = {};
  std::unique_ptr<void, Freer> memory_;
  Line* lines_ = nullptr;        // in memory_
  uint64_t* summary_ = nullptr;  // in memory_
  // Single claims start (CPU & spread_) words above the lowest listed one. 0 or 2^n - 1.
  std::atomic<uint32_t> spread_{0};

  // List and Unlist count themselves in and out, so that a reader of an empty root can tell whether
  // to believe it.
  alignas(64) std::atomic<uint64_t> changes_begun_{0};
  std::atomic<uint64_t> changes_ended_{0};
};

// Memory orders. Three edges matter:
// - Contents: Return adds to a word with release semantics, a claim takes bits out of it with
//   acquire. So what the last owner of a buffer wrote, bytes and lease state alike, is seen by the
//   next.
// - Listing: Return writes a word, then reads its summary bit; Unlist writes the summary bit, then
//   reads the word. At least one of the two must see the other, which takes seq_cst on all four;
//   likewise a level higher.
// - Doubt: a reader of an empty root reads changes_ended_ before it and changes_begun_ after it,
//   all seq_cst, so equal counts mean that no List and no Unlist was under way when the root was
//   read.

// The common case of ClaimOne, straight down the tree: kNone where anything at all stands in the
// way.
inline uint32_t FreeBitmap::ClaimLowest() {
  // Relaxed: advice.
  if (spread_.load(std::memory_order_relaxed) != 0) return kNone;
  // Relaxed, here and below: a hint; the word it leads to is what counts. Most often something is
  // free in the lowest group, which needs no descent.
  uint64_t bits = Summary(1, 0).load(std::memory_order_relaxed);
  uint32_t group = 0;
  if (bits == 0) {
    for (uint32_t level = level_count_; level > 0; --level) {
      bits = Summary(level, group).load(std::memory_order_relaxed);
      if (bits == 0) return kNone;
      if (level > 1) group = group * kFanOut + static_cast<uint32_t>(std::countr_zero(bits));
    }
  }
  const uint32_t child = group * kFanOut + static_cast<uint32_t>(std::countr_zero(bits));
  const std::atomic_ref<uint64_t> word = Word(child);
  // Relaxed: only a guess for the exchange.
  uint64_t seen = word.load(std::memory_order_relaxed);
  const uint32_t free_bits = FreeBits(seen);
  if (free_bits == 0) return kNone;
  // Takes the lowest free bit. Acquire: see above, Contents.
  if (!word.compare_exchange_strong(seen, seen & (seen - 1), std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
    WidenSpread();
    return kNone;
  }
  return child * kWordBuffers + static_cast<uint32_t>(std::countr_zero(free_bits));
}

inline void FreeBitmap::ReturnBits(uint32_t word, uint32_t mask) {
  // The bits are 0, so adding them sets them, and no carry leaves them. For the order see above:
  // Contents, Listing.
  const uint64_t before = Word(word).fetch_add(mask + kOneReturn, std::memory_order_seq_cst);
  DCHECK((FreeBits(before) & mask) == 0);
  (void)before;
  // seq_cst: see above, Listing. Whoever set the bit has seen to the levels above it, or is about
  // to.
  if ((Summary(1, word / kFanOut).load(std::memory_order_seq_cst) >> word % kFanOut & 1) == 0) {
    List(1, word);
  }
}

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_FREE_BITMAP_H_
