// With SQPOLL, an operation read a file that was put into its slot after the operation was
// submitted. The SQPOLL thread of the kernel looks a slot up when it executes the operation, and
// set_file did not wait for that.
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

mooring_op_t ReadSlot(void* data) {
  return WithFlags(Read(0, 0, AtAddress(data), 1), MOORING_OPERATION_FIXED_FILE);
}

TEST(SlotSetTooEarly, SubmittedReadsUseTheFileOfTheirSubmission) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.flags = MOORING_RING_SQPOLL;
  options.sqpoll_idle_ms = 1;
  options.fixed_file_count = 1;
  mooring_ring_t* handle = nullptr;
  const Failure failure = Take(mooring_ring_create(&options, &handle));
  SKIP_WITHOUT(failure.ok(), "sqpoll", failure.ToString());
  const Ring ring(handle);

  const TempDir dir;
  const std::byte letters[] = {std::byte{'a'}, std::byte{'b'}};
  const Fd files[] = {dir.Create("a", {&letters[0], 1}), dir.Create("b", {&letters[1], 1})};
  // The SQPOLL thread sleeps in some rounds and is awake in others.
  for (int round = 0; round < 200; ++round) {
    char got[2] = {};
    for (int i = 0; i < 2; ++i) {
      ASSERT_OK(mooring_ring_set_file(handle, 0, files[i].get()));
      const mooring_op_t read = ReadSlot(&got[i]);
      uint32_t accepted = 0;
      ASSERT_OK(mooring_ring_submit(handle, &read, 1, &accepted));
    }
    mooring_completion_t completions[2];
    uint32_t count = 0;
    ASSERT_OK(mooring_ring_reap(handle, completions, 2, 2, kPatienceNs, &count));
    ASSERT_EQ(count, 2u);
    ASSERT_EQ(got[0], 'a') << "in round " << round;
    ASSERT_EQ(got[1], 'b') << "in round " << round;
  }
}

}  // namespace
}  // namespace mooring::conformance
