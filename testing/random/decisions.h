// decisions.h: what a thread of the workload does next, drawn from a seed.
//
// Each thread has its own decisions, forked from those of its episode by a number: the values
// depend on the seed and the calls, never on timing.
//
//   Decisions episode = Decisions(seed).Fork(3);
//   if (episode.Chance(20)) ...
//
// Threading: one thread per object.
#ifndef MOORING_TESTING_RANDOM_DECISIONS_H_
#define MOORING_TESTING_RANDOM_DECISIONS_H_

#include <cstddef>
#include <cstdint>

namespace mooring::workload {

class Decisions {
 public:
  explicit Decisions(uint64_t seed) : seed_(seed), state_(seed) {}

  // SplitMix64: good enough as a random source, and every state is valid.
  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t mixed = state_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
  }

  // Below `bound`, which is not 0.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // From `least` to `most`, both included.
  uint64_t Between(uint64_t least, uint64_t most) { return least + Below(most - least + 1); }
  bool Chance(uint32_t percent) { return Below(100) < percent; }

  // Depends only on the seed of this object, not on the values drawn from it.
  Decisions Fork(uint64_t number) const {
    return Decisions(Decisions(seed_ ^ (number + 1) * 0xd6e8feb86659fd93u).Next());
  }

  // An index into `weights`, with probability proportional to its weight.
  template <size_t kCount>
  size_t Weighted(const uint32_t (&weights)[kCount]) {
    uint64_t sum = 0;
    for (uint32_t weight : weights) sum += weight;
    uint64_t left = Below(sum);
    size_t index = 0;
    while (left >= weights[index]) left -= weights[index++];
    return index;
  }

 private:
  const uint64_t seed_;
  uint64_t state_;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_DECISIONS_H_
