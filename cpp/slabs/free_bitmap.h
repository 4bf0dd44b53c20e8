// FreeBitmap: one bit for each buffer of a slab, set while the buffer is free. It claims and
// returns contiguous runs of buffers, lock-free.
//
// Claim takes the lowest run, because a slab may be pinned only in a prefix. When two CPUs race for
// the same word, single claims spread over more words, one per CPU, until the race ends.
//
// Structure. A word has the free bits of 32 buffers and a count of the returns to it. Above the
// words is a tree of summary words, each with 64 children. A set summary bit means that its child
// is listed: the child may have a free buffer. Invariant: a child that has a free buffer is listed
// once the calls that returned the buffer have ended. A claim does not change the tree. A search
// that finds a listed child empty unlists it and then reads the child again, because a buffer may
// have been returned in between.
//
// Result kNone. Claim returns kNone only if no such run was free at one moment during the call: it
// has read an empty root while no thread changed the tree, or has read all words twice with no
// return in between (the counts of returns show this). A run counts as not free while another claim
// holds a part of it, also if that claim then fails. If other threads keep returning runs that do
// not fit, Claim returns kNone after it has read kSearchWordsMax words. Without other threads the
// result is exact.
//
// Lifecycle: Create allocates all memory, for buffer_count_max buffers. The parts for later buffers
// are zero pages that the kernel has not provided yet. Grow is a Return of buffers that were never
// free.
//
// Threading: any thread, lock-free; Grow one thread at a time.
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

// Contiguous buffers.
struct BufferRun {
  uint32_t first_index = 0;
  uint32_t buffer_count = 0;
};

class FreeBitmap {
 public:
  static constexpr uint32_t kBufferCountMax = uint32_t{1} << 24;
  static constexpr uint32_t kNone = UINT32_MAX;

  // Has `buffer_count` buffers, all free, and room for `buffer_count_max`, at most kBufferCountMax.
  // Null when there is not enough memory.
  static std::unique_ptr<FreeBitmap> Create(uint32_t buffer_count, uint32_t buffer_count_max);
  static std::unique_ptr<FreeBitmap> Create(uint32_t buffer_count) {
    return Create(buffer_count, buffer_count);
  }
  // Adds that many free buffers at the end.
  void Grow(uint32_t buffer_count);

  // Claims a free run for the caller and returns its first buffer; kNone when there is none.
  // `buffer_count` is not 0.
  uint32_t Claim(uint32_t buffer_count) {
    if (buffer_count != 1) return ClaimRun(buffer_count);
    const uint32_t first = ClaimLowest();
    return first != kNone ? first : ClaimOne();
  }
  // Returns a claimed run, or a part of one.
  void Return(BufferRun run) {
    const uint32_t begin = run.first_index % kWordBuffers;
    if (begin + uint64_t{run.buffer_count} > kWordBuffers) return ReturnWords(run);
    ReturnBits(run.first_index / kWordBuffers, MaskOf(begin, begin + run.buffer_count));
  }

  // For reports. Another thread may change the result immediately.
  uint32_t CountFree() const;
  // The first buffer at or above `from` that is not free; buffer_count() when there is none.
  uint32_t NextTaken(uint32_t from) const;
  // Relaxed: Grow writes the count before it returns the new buffers, so a thread that has a lease
  // of a buffer reads a count that includes it. For other threads, the old and the new count of a
  // slab that grows are both correct.
  uint32_t buffer_count() const { return buffer_count_.load(std::memory_order_relaxed); }
  uint32_t buffer_count_max() const { return buffer_count_max_; }

 private:
  static constexpr uint32_t kWordBuffers = 32;
  static constexpr uint32_t kFanOut = 64;
  // 2^24 buffers: 2^19 words, and 2^13, 2^7, 2, 1 summary words.
  static constexpr uint32_t kLevelsMax = 4;
  static constexpr uint32_t kSpreadWordsMax = 64;
  static constexpr uint64_t kSearchWordsMax = uint64_t{1} << 16;
  static constexpr uint64_t kSearchesMin = 8;
  static constexpr uint64_t kOneReturn = uint64_t{1} << 32;  // above the free bits of a word

  // Eight words, used through std::atomic_ref. An array of std::atomic would need constructors to
  // run, which would write to the zero pages from calloc.
  struct alignas(64) Line {
    uint64_t words[8];
  };
  struct Freer {
    void operator()(void* memory) const;
  };
  struct SearchResult {
    uint32_t first = kNone;
    bool lost_a_race = false;
    uint64_t returns = 0;  // sum over all words
  };

  FreeBitmap() = default;
  bool Allocate(uint32_t buffer_count_max);

  static uint32_t FreeBits(uint64_t word) { return static_cast<uint32_t>(word); }
  static uint32_t MaskOf(uint32_t begin, uint32_t end) {
    return static_cast<uint32_t>((uint64_t{1} << end) - (uint64_t{1} << begin));
  }
  // The bits of a run in one word.
  static uint32_t MaskInWord(BufferRun run, uint32_t word);
  // First buffer of a free run of `buffer_count` that ends in word `word`; kNone if there is none.
  // `reach` free buffers lie directly before the word.
  static uint32_t RunAt(uint32_t word, uint32_t free_bits, uint32_t reach, uint32_t buffer_count);

  // Contiguous words are on different cache lines, so that CPUs that use different words do not
  // share a line; 64 lines hold 512 words.
  std::atomic_ref<uint64_t> Word(uint32_t word) const {
    return std::atomic_ref(lines_[(word / 512 * 64) + word % 64].words[word / 64 % 8]);
  }
  std::atomic_ref<uint64_t> Summary(uint32_t level, uint32_t index) const {
    return std::atomic_ref(levels_[level][index]);
  }
  uint32_t word_count() const { return (buffer_count() + kWordBuffers - 1) / kWordBuffers; }
  bool IsChildEmpty(uint32_t level, uint32_t child) const;

  uint32_t ClaimLowest();
  uint32_t ClaimOne();
  uint32_t ClaimRun(uint32_t buffer_count);
  SearchResult Search(uint32_t buffer_count, bool every_word);
  bool TryClaim(BufferRun run);
  void ReturnWords(BufferRun run);
  void ReturnBits(uint32_t word, uint32_t mask);
  // The first listed word at or above `from`; kNone when there is none. Unlists empty summary words
  // that it reads.
  uint32_t NextListed(uint32_t from);
  // `child` is a word for level 1, and a summary word of level - 1 for the levels above.
  void List(uint32_t level, uint32_t child);
  void Unlist(uint32_t level, uint32_t child);
  void ListUpToRoot(uint32_t level, uint32_t child);
  bool RootWasEmpty() const;
  uint32_t SpreadStart();
  void IncreaseSpread();
  void DecreaseSpreadSometimes(uint64_t seen);

  // Read often, written rarely or never.
  std::atomic<uint32_t> buffer_count_{0};
  uint32_t buffer_count_max_ = 0;
  uint32_t level_count_ = 0;  // for buffer_count_max_ buffers
  // By level, from 1: its first word in summary_, and its number of words.
  uint64_t* levels_[kLevelsMax + 1] = {};
  uint32_t level_words_[kLevelsMax + 1] = {};
  std::unique_ptr<void, Freer> memory_;
  Line* lines_ = nullptr;        // in memory_
  uint64_t* summary_ = nullptr;  // in memory_
  // A single claim starts (CPU & spread_) words above the lowest listed word. 0 or 2^n - 1.
  std::atomic<uint32_t> spread_{0};

  // Numbers of List and Unlist calls that have begun and ended. A reader of an empty root compares
  // them to know whether the tree has changed.
  alignas(64) std::atomic<uint64_t> changes_begun_{0};
  std::atomic<uint64_t> changes_ended_{0};
};

// Memory orders. Three edges matter:
// - Contents: Return adds bits to a word with release, a claim removes bits with acquire. So the
//   next owner of a buffer sees the bytes and the lease state that the last owner wrote.
// - Listing: Return writes a word, then reads its summary bit; Unlist writes the summary bit, then
//   reads the word. At least one of the two must see the write of the other, so all four operations
//   are seq_cst. The same holds at each higher level.
// - Empty root: a reader of an empty root reads changes_ended_ before it and changes_begun_ after
//   it, all seq_cst. If the counts are equal, no List and no Unlist ran when the root was read.

// The common case of ClaimOne: one way down the tree, without a second try. kNone if any step
// fails.
inline uint32_t FreeBitmap::ClaimLowest() {
  // Relaxed: spread_ is a hint.
  if (spread_.load(std::memory_order_relaxed) != 0) return kNone;
  // Relaxed, here and below: a hint. The exchange on the word decides. The lowest group usually has
  // a free buffer, and then the levels above are not read.
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
  // Clears the lowest free bit. Acquire: see above, Contents.
  if (!word.compare_exchange_strong(seen, seen & (seen - 1), std::memory_order_acquire,
                                    std::memory_order_relaxed)) {
    IncreaseSpread();
    return kNone;
  }
  return child * kWordBuffers + static_cast<uint32_t>(std::countr_zero(free_bits));
}

inline void FreeBitmap::ReturnBits(uint32_t word, uint32_t mask) {
  // The bits are 0, so the addition sets them without a carry. For the order see above: Contents,
  // Listing.
  const uint64_t before = Word(word).fetch_add(mask + kOneReturn, std::memory_order_seq_cst);
  DCHECK((FreeBits(before) & mask) == 0);
  (void)before;
  // seq_cst: see above, Listing. If the bit is set, the thread that set it also sets the bits of
  // the levels above.
  if ((Summary(1, word / kFanOut).load(std::memory_order_seq_cst) >> word % kFanOut & 1) == 0) {
    List(1, word);
  }
}

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_FREE_BITMAP_H_
