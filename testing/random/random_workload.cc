// random_workload: a random workload over the C interface, checked against a model.
//
//   random_workload --seed=7 --seconds=20          the same decisions each time
//   random_workload --seed=0 --seconds=3600        a fresh seed, which it prints
//   random_workload --seed=1,2,3 --seconds=20      the time is divided
//   random_workload --memlock_bytes=2097152 ...    under a real limit, without CAP_IPC_LOCK
#include <signal.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "testing/random/episode.h"
#include "testing/random/invariant.h"
#include "testing/random/landing.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/pattern.h"
#include "testing/support/preparation.h"
#include "testing/support/proc_self.h"
#include "testing/support/require.h"

namespace mooring::workload {
namespace {

struct Options {
  std::vector<uint64_t> seeds;
  uint64_t seconds = 10;
  uint64_t memlock_bytes = 0;  // 0 = unchanged
};

bool Parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string::npos) return false;
    const std::string name = argument.substr(0, equals);
    std::istringstream values(argument.substr(equals + 1));
    for (std::string value; std::getline(values, value, ',');) {
      char* end = nullptr;
      const uint64_t number = std::strtoull(value.c_str(), &end, 0);
      if (value.empty() || *end != '\0') return false;
      if (name == "--seed") {
        options.seeds.push_back(number);
      } else if (name == "--seconds") {
        options.seconds = number;
      } else if (name == "--memlock_bytes") {
        options.memlock_bytes = number;
      } else {
        return false;
      }
    }
  }
  if (options.seeds.empty()) options.seeds.push_back(0);
  return true;
}

mooring_facts_t Facts() {
  mooring_facts_t facts{.struct_size = sizeof(facts)};
  MUST(mooring_facts_get(&facts));
  return facts;
}

// Resources of the process that a workload could leak.
struct Holdings {
  uint64_t descriptors = conformance::OpenFdCount();
  uint64_t rings = conformance::MappingCount("[io_uring]");
  uint64_t threads = conformance::ThreadCount();
  uint64_t pinned_bytes = conformance::PinnedBytes();
  uint64_t charged_bytes = Facts().memlock_used_bytes;

  bool AreNoMoreThan(const Holdings& other) const {
    return descriptors <= other.descriptors && rings <= other.rings && threads <= other.threads &&
           pinned_bytes <= other.pinned_bytes && charged_bytes <= other.charged_bytes;
  }
};

// Destroying a ring with operations in flight waits for them at most 5 ms; a later call, such as
// destroying a slab, releases the rest.
void CollectLingeringRings() {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_count = 1;
  mooring_slab_t* slab = nullptr;
  MUST(mooring_slab_create(&options, &slab));
  mooring_slab_destroy(slab);
}

void RunSeed(Surroundings surroundings, uint64_t seed, std::chrono::milliseconds patience) {
  if (seed == 0) {
    std::random_device entropy;
    while (seed == 0) seed = entropy();
  }
  surroundings.seed = seed;
  std::printf("seed %" PRIu64 "\n", seed);
  std::fflush(stdout);
  std::deque<MemoryCanary> graves;
  const auto end = std::chrono::steady_clock::now() + patience;
  for (uint64_t number = 0; number == 0 || std::chrono::steady_clock::now() < end; ++number) {
    Episode(surroundings, number, graves).Run();
  }
}

int Run(const Options& options) {
  const conformance::TempDir dir;
  const conformance::Fd pattern =
      dir.Create("pattern", conformance::Pattern(kPatternSeed, 0, kPatternFileBytes));
  Tally tally;
  const bool has_io_uring = Facts().engine == MOORING_ENGINE_IO_URING;
  const Surroundings surroundings{.has_io_uring = has_io_uring,
                                  .is_memlock_limited = options.memlock_bytes > 0,
                                  .pattern_fd = pattern.get(),
                                  .tally = &tally};
  // The first one also makes what the process keeps for good.
  const Holdings before;
  const auto patience = std::chrono::milliseconds(options.seconds * 1000 / options.seeds.size());
  for (uint64_t seed : options.seeds) RunSeed(surroundings, seed, patience);

  const bool is_back = conformance::Eventually(
      [&] {
        CollectLingeringRings();
        return Holdings().AreNoMoreThan(before);
      },
      kEndPatience);
  const Holdings after;
  INVARIANT(is_back,
            "left at the end (and at the start): %" PRIu64 " (%" PRIu64 ") descriptors, %" PRIu64
            " (%" PRIu64 ") rings mapped, %" PRIu64 " (%" PRIu64 ") threads, %" PRIu64 " (%" PRIu64
            ") bytes pinned, %" PRIu64 " (%" PRIu64 ") charged",
            after.descriptors, before.descriptors, after.rings, before.rings, after.threads,
            before.threads, after.pinned_bytes, before.pinned_bytes, after.charged_bytes,
            before.charged_bytes);
  tally.Print(stdout);
  std::printf("%" PRIu64 " operations, no violation\n", tally.operations());
  return tally.operations() > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int Main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: random_workload [--seed=N,...] [--seconds=S] [--memlock_bytes=N]\n");
    return 2;
  }
  if (options.memlock_bytes > 0) {
    const std::string missing = conformance::Prepare(
        {.limits_memlock = true, .memlock_bytes = options.memlock_bytes}, argv);
    if (!missing.empty()) {
      std::printf("skipped, missing: %s\n", missing.c_str());
      return conformance::IsRequired(missing) ? EXIT_FAILURE : EXIT_SUCCESS;
    }
  }
  signal(SIGPIPE, SIG_IGN);
  return Run(options);
}

}  // namespace
}  // namespace mooring::workload

int main(int argc, char** argv) { return mooring::workload::Main(argc, argv); }
