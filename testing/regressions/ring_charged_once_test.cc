// A ring without CAP_IPC_LOCK was charged to the memlock ledger twice: where its memory is mapped,
// and again by the ring above. Every remedy that names the required limit was too high by one ring,
// and the first estimate of the remaining budget was too low.
#include <gtest/gtest.h>
#include <mooring/mooring.h>
#include <sys/resource.h>

#include <string>

#include "testing/support/child_process.h"
#include "testing/support/handles.h"
#include "testing/support/privileges.h"

namespace mooring::conformance {
namespace {

uint64_t UsedBytes() {
  mooring_facts_t facts = {};
  facts.struct_size = sizeof facts;
  mooring_error_destroy(mooring_facts_get(&facts));
  return facts.memlock_used_bytes;
}

// Runs in a child process, which can drop its exemption without an effect on the test. Returns
// "skip" where rings are not charged.
std::string CompareCharge() {
  if (!DropIpcLock()) return "CAP_IPC_LOCK could not be dropped";
  const uint64_t before = UsedBytes();
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.submission_count = 16;
  mooring_ring_t* handle = nullptr;
  mooring_error_t* error = mooring_ring_create(&options, &handle);
  if (error != nullptr) return mooring_error_message(error);
  Ring ring(handle);
  mooring_ring_info_t info = {};
  info.struct_size = sizeof info;
  mooring_error_destroy(mooring_ring_get_info(ring.get(), &info));
  if (info.memlock_bytes == 0) return "skip";
  const uint64_t charged = UsedBytes() - before;
  if (charged != info.memlock_bytes) {
    return "the ledger has " + std::to_string(charged) + " bytes for a ring of " +
           std::to_string(info.memlock_bytes) + " bytes";
  }
  ring.reset();
  if (UsedBytes() != before)
    return "the ledger keeps " + std::to_string(UsedBytes() - before) +
           " bytes after the ring was destroyed";
  return "";
}

TEST(RingChargedOnce, TheLedgerHasOneCharge) {
  const ChildResult child = RunInChild(CompareCharge);
  if (child.complaint == "skip")
    GTEST_SKIP() << "rings are not charged to RLIMIT_MEMLOCK here (needs Linux 6.14 and io_uring)";
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring::conformance
