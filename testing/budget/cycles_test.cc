// Open, register, read and close in a loop, where the memlock limit has room for one ring and one
// slab. Every cycle must take the fixed path for its whole slab, although the kernel returns the
// budget of a closed ring late (7 to 50 ms, measured on 5.10 to 6.18).
//
// MOORING_TEST_CYCLES sets the number of cycles. Each kind of ring runs half of them.

#include <gtest/gtest.h>
#include <mooring/mooring.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "testing/budget/limited_child.h"
#include "testing/budget/objects.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/pattern.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kBuffer = 64 << 10;
constexpr uint64_t kBufferCount = 16;
constexpr uint64_t kSlab = kBuffer * kBufferCount;
constexpr uint32_t kEntries = 64;

int Cycles() {
  const char* cycles = std::getenv("MOORING_TEST_CYCLES");
  return cycles == nullptr ? 60 : std::atoi(cycles);
}

std::string Cycle(int fd, uint32_t flags) {
  const Ring ring = CreateRing(kEntries, flags);
  const Slab slab = CreateSlab(kBuffer, kBufferCount);
  const Registration registration = Register(ring, slab);
  if (!ring || !slab || !registration)
    return "cannot create the ring, the slab or the registration";
  const mooring_ring_info_t ring_info = Info(ring);
  if (ring_info.engine != MOORING_ENGINE_IO_URING) return ring_info.message;
  if (ring_info.submission_count != kEntries) return "the ring is smaller than requested";
  const mooring_registration_info_t info = Info(registration);
  if (info.outcome != MOORING_OUTCOME_FIXED) return info.message;
  const mooring_completion_t read =
      RunOne(ring, Read(fd, 0, InSlab(registration.get(), kSlab - 4096), 4096));
  if (read.result != 4096 || read.path != MOORING_PATH_FIXED)
    return "a read failed or took the copy path";
  const auto* data = static_cast<std::byte*>(mooring_slab_data(slab.get(), {}));
  return HasPattern(data + kSlab - 4096, 62, 0, 4096) ? "" : "a read delivered wrong bytes";
}

std::string RunCycles(uint64_t others_bytes, int cycles, uint32_t flags) {
  // RunInChild's deadline is too short for this. Most of a cycle is the kernel's latency, 7 to 50
  // ms.
  alarm(static_cast<unsigned>(kPatience.count() + cycles / 5));
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(62, 0, 4096));
  uint64_t ring_bytes = 0;
  {
    const Ring ring = CreateRing(kEntries, flags);
    if (!ring) return "cannot create a ring";
    ring_bytes = Info(ring).memlock_bytes;
  }
  // Room for one ring, one slab, and less than one buffer more.
  std::string wrong = SetSoftMemlock(others_bytes + ring_bytes + kSlab + 4096);
  for (int cycle = 0; cycle < cycles && wrong.empty(); ++cycle) {
    wrong = Cycle(file.get(), flags);
    if (!wrong.empty()) wrong = "cycle " + std::to_string(cycle) + ": " + wrong;
  }
  if (wrong.empty() && ChargedBytes() != 0) wrong = "the ledger still has a charge";
  return wrong;
}

class CyclesTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(CyclesTest, EveryCycleIsFixed) {
  const ChildResult child = RunWithoutExemption(
      [](uint64_t others_bytes) { return RunCycles(others_bytes, Cycles() / 2, GetParam()); });
  EXPECT_EQ(child.complaint, "");
  EXPECT_TRUE(child.exited);
}

INSTANTIATE_TEST_SUITE_P(Rings, CyclesTest,
                         ::testing::Values(0u, uint32_t{MOORING_RING_OWNER_THREAD}),
                         [](const ::testing::TestParamInfo<uint32_t>& flags) {
                           return flags.param == 0 ? "AnyThread" : "OwnerThread";
                         });

}  // namespace
}  // namespace mooring::conformance
