// Runs a fuzz target on its corpus and on mutations of it, the same in each run, with any compiler
// and sanitizer.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "testing/fuzz/target.h"
#include "testing/support/eventually.h"
#include "testing/support/proc_self.h"

namespace mooring::fuzz {
namespace {

using Bytes = std::vector<uint8_t>;

// This many run in a few seconds on a slow machine; MOORING_FUZZ_RUNS overrides it.
uint64_t Runs() {
  const char* runs = std::getenv("MOORING_FUZZ_RUNS");
  return runs != nullptr ? std::strtoull(runs, nullptr, 10) : 2000;
}

class Mutator {
 public:
  explicit Mutator(std::vector<Bytes> corpus) : corpus_(std::move(corpus)) {}

  Bytes Next() {
    Bytes bytes = corpus_[Below(corpus_.size())];
    for (uint64_t left = 1 + Below(6); left > 0; --left) MutateOnce(bytes);
    return bytes;
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  template <typename T>
  void Put(Bytes& bytes, T value) {
    if (bytes.size() < sizeof(value)) return;
    // Most fields are aligned.
    const size_t at = Below(bytes.size() / sizeof(value)) * sizeof(value);
    std::memcpy(bytes.data() + at, &value, sizeof(value));
  }

  void MutateOnce(Bytes& bytes) {
    constexpr uint64_t kInteresting[] = {
        0,          1,          2,          4095,       4096,      0x7fffffff,       0x80000000,
        0xffffffff, 0x7ffff000, 0x7ffff001, UINT64_MAX, INT64_MAX, uint64_t{1} << 63};
    const uint64_t value = kInteresting[Below(std::size(kInteresting))];
    switch (Below(8)) {
      case 0:
        return Put(bytes, static_cast<uint8_t>(random_()));
      case 1:
        return Put(bytes, static_cast<uint16_t>(Below(24)));
      case 2:
        return Put(bytes, static_cast<uint32_t>(value));
      case 3:
        return Put(bytes, value);
      case 4:
        return Put(bytes, static_cast<uint64_t>(random_()));
      case 5:
        return Put(bytes, uint64_t{1} << Below(64));
      case 6:  // truncate
        bytes.resize(Below(bytes.size() + 1));
        return;
      default: {  // append
        const Bytes& other = corpus_[Below(corpus_.size())];
        bytes.insert(bytes.end(), other.begin(), other.end());
      }
    }
  }

  std::vector<Bytes> corpus_;
  std::mt19937_64 random_{1};
};

TEST(Mutations, AllInputsPassAndNothingLeaks) {
  signal(SIGPIPE, SIG_IGN);
  const std::vector<Bytes> corpus = Corpus();
  // The first run also creates what the process keeps until it ends.
  RunOnInput(nullptr, 0);
  const uint64_t descriptors = conformance::OpenFdCount();
  for (const Bytes& bytes : corpus) RunOnInput(bytes.data(), bytes.size());
  Mutator mutator(corpus);
  for (uint64_t i = 0, runs = Runs(); i < runs; ++i) {
    SCOPED_TRACE("mutation " + std::to_string(i));
    const Bytes bytes = mutator.Next();
    RunOnInput(bytes.data(), bytes.size());
  }
  EXPECT_TRUE(conformance::Eventually([&] { return conformance::OpenFdCount() <= descriptors; }))
      << conformance::OpenFdCount() << " descriptors, and " << descriptors << " at the start";
  EXPECT_TRUE(conformance::Eventually([] { return conformance::MappingCount("[io_uring]") == 0; }));
}

}  // namespace
}  // namespace mooring::fuzz
