// The program of the sweep: one test for each scenario and kind of ring. It prints the number of
// faults injected.
//
//   sweep_test --scenario=io_uring/copy --call=io_uring_enter --n=3 --errno=EAGAIN

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "testing/faults/entry_faults.h"
#include "testing/faults/scenario.h"
#include "testing/faults/sweep.h"
#include "testing/support/child_process.h"
#include "testing/support/preparation.h"
#include "testing/support/require.h"

namespace mooring::faults {
namespace {

// Enough for all that scenarios pin, and for rings whose budget the kernel releases late.
constexpr uint64_t kMemlockBytes = 6 << 20;

SweepOptions options;
uint64_t total_fault_count = 0;

[[noreturn]] void FailUsage(const char* argument) {
  std::fprintf(
      stderr,
      "%s: unknown argument. Known: --scenario=MODE/NAME --call=NAME --n=NUMBER --errno=NAME "
      "--lasting=1 --full=1 --first_use=1\n",
      argument);
  std::exit(2);
}

void ParseArgument(const char* argument) {
  const std::string_view text(argument);
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) FailUsage(argument);
  const std::string_view name = text.substr(0, equals);
  const std::string_view value = text.substr(equals + 1);
  if (name == "--scenario") {
    options.scenario = value;
  } else if (name == "--call") {
    options.call = CallKindOf(value);
    if (!options.call) FailUsage(argument);
  } else if (name == "--n") {
    options.number = std::strtoull(value.data(), nullptr, 10);
  } else if (name == "--errno") {
    options.fault = FaultOf(value);
    if (!options.fault) FailUsage(argument);
  } else if (name == "--lasting") {
    options.lasting = value == "1";
  } else if (name == "--first_use") {
    options.first_use = value == "1";
  } else if (name == "--full") {
    options.full = value == "1";
  } else {
    FailUsage(argument);
  }
}

bool ModeIsAvailable(const Mode& mode) {
  mooring_ring_options_t ring_options = MOORING_RING_OPTIONS_INIT;
  ring_options.engine = mode.uses_io_uring() ? uint32_t{MOORING_ENGINE_IO_URING} : mode.engine;
  ring_options.flags = mode.flags;
  mooring_ring_t* ring = nullptr;
  mooring_error_destroy(mooring_ring_create(&ring_options, &ring));
  mooring_ring_destroy(ring);
  return ring != nullptr;
}

bool mooring_was_used = false;  // by this process

class SweepTest : public ::testing::Test {
 public:
  SweepTest(const Scenario& scenario, const Mode& mode, bool first_use)
      : scenario_(scenario), mode_(mode), first_use_(first_use) {}

 private:
  void SetUp() override {
    if (first_use_) {
      SKIP_WITHOUT(conformance::ChildMayStartThreads(), "child_threads",
                   conformance::kChildThreadsRemedy);
      ASSERT_FALSE(mooring_was_used)
          << "tests of a first use must run first: do not shuffle or repeat them";
      return;
    }
    mooring_was_used = true;
    SKIP_WITHOUT(ModeIsAvailable(mode_), mode_.flags == 0 ? "io_uring" : mode_.name,
                 "allow io_uring, or use a newer kernel");
  }

  void TestBody() override {
    if (mode_.uses_io_uring()) {
      SKIP_WITHOUT(CanInjectEntryFaults(), "nop_inject_result", "use Linux 6.10 or later");
    }
    SweepOptions chosen = options;
    chosen.first_use = first_use_;
    const uint64_t count = Sweep(scenario_, mode_, chosen).Run();
    total_fault_count += count;
    std::printf("%s/%s: %llu faults\n", mode_.name, scenario_.name,
                static_cast<unsigned long long>(count));
    RecordProperty("faults", std::to_string(count));
  }

  const Scenario& scenario_;
  const Mode& mode_;
  const bool first_use_;
};

class Total : public ::testing::Environment {
  void TearDown() override {
    std::printf("%llu faults in all\n", static_cast<unsigned long long>(total_fault_count));
  }
};

void RegisterScenario(const Scenario& scenario, bool first_use) {
  const uint32_t modes = first_use ? scenario.first_use_modes : scenario.modes;
  for (size_t i = 0; i < std::size(kModes); ++i) {
    const Mode& mode = kModes[i];
    const std::string name = std::string(mode.name) + "/" + scenario.name;
    if ((modes & (1u << i)) == 0) continue;
    if (!options.scenario.empty() && options.scenario != name) continue;
    const std::string suite = std::string(first_use ? "first_use_" : "") + mode.name;
    ::testing::RegisterTest(suite.c_str(), scenario.name, nullptr, nullptr, __FILE__, __LINE__,
                            [&scenario, &mode, first_use]() -> ::testing::Test* {
                              return new SweepTest(scenario, mode, first_use);
                            });
  }
}

void RegisterScenarios(bool first_use) {
  for (const std::span<const Scenario> scenarios :
       {ObjectScenarios(), FileScenarios(), WaitingScenarios(), SocketScenarios()}) {
    for (const Scenario& scenario : scenarios) RegisterScenario(scenario, first_use);
  }
}

int Main(int argc, char** argv) {
  // Drops CAP_IPC_LOCK, so that rings and extents are charged and a leak in the ledger would show.
  // Where that is not possible, everything else is still tested.
  const std::string missing =
      conformance::Prepare({.limits_memlock = true, .memlock_bytes = kMemlockBytes}, argv);
  if (!missing.empty()) std::printf("exempt from the memlock limit: the ledger stays empty\n");
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) ParseArgument(argv[i]);
  signal(SIGPIPE, SIG_IGN);
  PrintRunOnFatalSignal();
  RegisterScenarios(true);
  if (!options.first_use) RegisterScenarios(false);
  ::testing::AddGlobalTestEnvironment(new Total);
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace mooring::faults

int main(int argc, char** argv) { return mooring::faults::Main(argc, argv); }
