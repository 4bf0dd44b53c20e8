// Two rings over one slab. The memlock limit has room for the rings and for one copy of the slab.
// One test takes a slab of 4 MiB, which a hard limit of 8 MiB allows. The other takes 256 MiB,
// which needs a higher hard limit (testing/kernels has machines with one).

#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <string>

#include "testing/budget/limited_child.h"
#include "testing/budget/objects.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/pattern.h"
#include "testing/support/privileges.h"
#include "testing/support/proc_self.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kBuffer = 1 << 20;

bool CanClone() {
  mooring_facts_t facts{};
  facts.struct_size = sizeof facts;
  mooring_error_destroy(mooring_facts_get(&facts));
  return (facts.features & MOORING_FEATURE_CLONE_BUFFERS) != 0;
}

std::string ReadFixed(const Ring& ring, const Registration& registration, const std::byte* data,
                      uint64_t slab_bytes) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(61, 0, 4096));
  const mooring_completion_t read =
      RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), slab_bytes - 4096), 4096));
  if (read.result != 4096) return "a read returned " + std::to_string(read.result);
  if (read.path != MOORING_PATH_FIXED) return "a read took the copy path";
  return HasPattern(data + slab_bytes - 4096, 61, 0, 4096)
             ? ""
             : "the read bytes are not at their place";
}

// Checks the budget as the kernel counts it. Another slab of the same size finds either no room or
// all that it needs.
std::string ExpectRoom(bool room, uint64_t slab_bytes) {
  const Ring ring = CreateRing(16);
  const Slab slab = CreateSlab(kBuffer, slab_bytes / kBuffer);
  const Registration registration = Register(ring, slab);
  const bool fixed = !room || Eventually([&] {
    mooring_error_destroy(mooring_registration_promote(registration.get()));
    return Info(registration).outcome == MOORING_OUTCOME_FIXED;
  });
  if (!fixed)
    return std::string("the kernel did not return the budget: ") + Info(registration).message;
  if (!room && Info(registration).outcome == MOORING_OUTCOME_FIXED) {
    return "the limit has room for two slabs";
  }
  return "";
}

std::string ShareOneSlab(uint64_t others_bytes, uint64_t slab_bytes, bool source_first) {
  Ring rings[] = {CreateRing(16), CreateRing(16)};
  const Slab slab = CreateSlab(kBuffer, slab_bytes / kBuffer);
  if (!rings[0] || !rings[1] || !slab) return "cannot create the rings or the slab";
  const uint64_t ring_bytes = Info(rings[0]).memlock_bytes;
  const uint64_t rings_bytes = ChargedBytes();
  // The limit also has room for a third ring, which ExpectRoom creates.
  std::string wrong = SetSoftMemlock(others_bytes + rings_bytes + ring_bytes + slab_bytes);
  if (!wrong.empty()) return wrong;
  Registration registrations[] = {Register(rings[0], slab), Register(rings[1], slab)};
  for (const Registration& registration : registrations) {
    const mooring_registration_info_t info = Info(registration);
    if (info.outcome != MOORING_OUTCOME_FIXED) return std::string("not fixed: ") + info.message;
    const uint64_t cloned = &registration == &registrations[1] ? slab_bytes : 0;
    if (info.bytes_cloned != cloned) return std::to_string(info.bytes_cloned) + " bytes cloned";
  }
  if (ChargedBytes() != rings_bytes + slab_bytes)
    return "the ledger counts the slab more than once";
  if (PinnedBytes() != slab_bytes) return "the kernel pinned " + std::to_string(PinnedBytes());
  wrong = ExpectRoom(false, slab_bytes);
  if (!wrong.empty()) return wrong;

  const std::byte* data = static_cast<std::byte*>(mooring_slab_data(slab.get(), {}));
  const int destroyed = source_first ? 0 : 1;
  rings[destroyed].reset();
  if (ChargedBytes() != rings_bytes - ring_bytes + slab_bytes)
    return "wrong charge after one ring was destroyed";
  if (PinnedBytes() != slab_bytes) return "the pins were released with the first ring";
  wrong = ReadFixed(rings[1 - destroyed], registrations[1 - destroyed], data, slab_bytes);
  if (!wrong.empty()) return wrong;
  wrong = ExpectRoom(false, slab_bytes);
  if (!wrong.empty()) return wrong;
  registrations[1 - destroyed].reset();
  if (ChargedBytes() != rings_bytes - ring_bytes)
    return "still charged after the last registration was destroyed";
  // The kernel may release the pins of the destroyed ring late.
  if (!Eventually([] { return PinnedBytes() == 0; })) return "the slab stays pinned";
  return ExpectRoom(true, slab_bytes);
}

void ExpectTwoRingsToFit(uint64_t slab_bytes) {
  SKIP_WITHOUT(CanClone(), "clone_buffers", "run on Linux 6.13 or later");
  SKIP_WITHOUT(CanHaveMemlock(2 * slab_bytes), "memlock",
               "raise the hard RLIMIT_MEMLOCK (ulimit -Hl)");
  for (const bool source_first : {true, false}) {
    SCOPED_TRACE(source_first ? "the source is destroyed first" : "the clone is destroyed first");
    const ChildResult child = RunWithoutExemption([&](uint64_t others_bytes) {
      return ShareOneSlab(others_bytes, slab_bytes, source_first);
    });
    EXPECT_EQ(child.complaint, "");
    EXPECT_TRUE(child.exited);
  }
}

TEST(CloneBudget, TwoRingsFitWhereASlabOf4MiBFitsOnce) { ExpectTwoRingsToFit(4 << 20); }

TEST(CloneBudget, TwoRingsFitWhereASlabOf256MiBFitsOnce) { ExpectTwoRingsToFit(256 << 20); }

// A slab that cannot be cloned is charged again. The kernel charges no user for a ring that was
// created with CAP_IPC_LOCK, and it does not share pins between accounts.
TEST(CloneBudget, DoesNotCloneFromAnExemptRingToALimitedOne) {
  SKIP_WITHOUT(CanClone(), "clone_buffers", "run on Linux 6.13 or later");
  const ChildResult child = RunInChild([]() -> std::string {
    const Ring exempt = CreateRing(16);
    const Slab slab = CreateSlab(kBuffer, 4);
    const Registration first = Register(exempt, slab);
    if (Info(first).memlock_exempt == 0) return "skip";
    if (!DropIpcLock()) return "CAP_IPC_LOCK was not dropped";
    const Ring limited = CreateRing(16);
    const Registration second = Register(limited, slab);
    const mooring_registration_info_t info = Info(second);
    if (info.outcome != MOORING_OUTCOME_FIXED) return info.message;
    if (info.bytes_cloned != 0) return "cloned across accounts";
    return info.memlock_used_bytes >= 4 * kBuffer ? "" : "not charged";
  });
  if (child.complaint == "skip") GTEST_SKIP() << "missing: CAP_IPC_LOCK (run as root)";
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring::conformance
