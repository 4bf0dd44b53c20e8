// TestRandom: random numbers for tests. It prints its seed, and MOORING_SEED sets the seed.
//
// Threading: one thread.
//
//   TestRandom random;                     // seed from MOORING_SEED, else from the system
//   const uint32_t die = random.Below(6);  // 0 to 5
#ifndef MOORING_CPP_SLABS_TESTING_TEST_RANDOM_H_
#define MOORING_CPP_SLABS_TESTING_TEST_RANDOM_H_

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace mooring {

class TestRandom {
 public:
  TestRandom() : TestRandom(Seed()) {
    std::printf("MOORING_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  }
  explicit TestRandom(uint64_t seed) : seed_(seed), engine_(seed) {}

  uint64_t seed() const { return seed_; }
  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(engine_() % limit); }

 private:
  static uint64_t Seed() {
    const char* given = std::getenv("MOORING_SEED");
    return given != nullptr ? std::strtoull(given, nullptr, 10) : uint64_t{std::random_device{}()};
  }

  const uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_TESTING_TEST_RANDOM_H_
