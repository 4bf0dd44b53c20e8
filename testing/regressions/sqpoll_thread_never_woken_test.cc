// Operations of a ring with SQPOLL stayed in flight without limit when the SQPOLL thread slept and
// io_uring_enter(2) failed permanently, as under a seccomp filter that was installed after the ring
// was created: no call could wake the thread. The library now takes these operations back from the
// submission queue, and they fail with that errno.
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <cerrno>
#include <string>

#include "testing/support/child_process.h"
#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"
#include "testing/support/require.h"
#include "testing/support/seccomp_filter.h"

namespace mooring::conformance {
namespace {

mooring_ring_options_t SqpollOptions() {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.engine = MOORING_ENGINE_IO_URING;
  options.flags = MOORING_RING_SQPOLL;
  options.sqpoll_idle_ms = 1;
  return options;
}

// Returns the result of the completion, or 1 when there is none.
int64_t RunNop(const Ring& ring) {
  const mooring_op_t nop = Nop();
  uint32_t accepted = 0;
  if (!Take(mooring_ring_submit(ring.get(), &nop, 1, &accepted)).ok() || accepted != 1) return 1;
  mooring_completion_t completion = {};
  const bool completed = Eventually([&] {
    uint32_t reaped = 0;
    return Take(mooring_ring_reap(ring.get(), &completion, 1, 0, 0, &reaped)).ok() && reaped == 1;
  });
  return completed ? completion.result : 1;
}

std::string CheckNopsFailUnderFilter() {
  const mooring_ring_options_t options = SqpollOptions();
  mooring_ring_t* new_ring = nullptr;
  if (!Take(mooring_ring_create(&options, &new_ring)).ok()) return "ring not created";
  const Ring ring(new_ring);
  if (RunNop(ring) != 0) return "a nop failed before the filter";
  if (!DenyIoUring(EPERM)) return "filter not installed";
  // While the SQPOLL thread is awake, nops still succeed.
  int64_t result = 0;
  const bool failed = Eventually([&] { return (result = RunNop(ring)) != 0; });
  if (!failed || result != -EPERM) return "a nop completed with " + std::to_string(result);
  return "";
}

TEST(SqpollThreadNeverWoken, OperationsFail) {
  const mooring_ring_options_t options = SqpollOptions();
  mooring_ring_t* new_ring = nullptr;
  const bool has_sqpoll_thread = Take(mooring_ring_create(&options, &new_ring)).ok();
  mooring_ring_destroy(new_ring);
  SKIP_WITHOUT(has_sqpoll_thread, "sqpoll", "run where io_uring supports SQPOLL");
  const ChildResult child = RunInChild(&CheckNopsFailUnderFilter);
  EXPECT_TRUE(child.exited);
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring::conformance
