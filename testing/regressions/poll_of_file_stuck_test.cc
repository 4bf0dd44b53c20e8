// On the threads engine, a poll of a regular file for events other than reading and writing never
// completed: it occupied its worker thread, could not be cancelled, and no close of its ring
// completed. Such a file never becomes ready for other events. The poll now fails with EINVAL, as
// on io_uring.
#include <gtest/gtest.h>
#include <mooring/mooring.h>
#include <poll.h>

#include <cerrno>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"

namespace mooring::conformance {
namespace {

class PollOfFileStuck : public ::testing::TestWithParam<mooring_engine_t> {};

TEST_P(PollOfFileStuck, FileThatCannotBecomeReadyFails) {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.engine = GetParam();
  mooring_ring_t* new_ring = nullptr;
  ASSERT_OK(mooring_ring_create(&options, &new_ring));
  const Ring ring(new_ring);
  const TempDir dir;
  const Fd file = dir.Create("file");
  for (const uint32_t events : {0u, uint32_t{POLLPRI}}) {
    const mooring_op_t poll = Poll(file.get(), events);
    mooring_completion_t completion{};
    uint32_t accepted = 0;
    uint32_t count = 0;
    ASSERT_OK(mooring_ring_submit_and_reap(new_ring, &poll, 1, &accepted, &completion, 1, 1,
                                           kPatienceNs, &count));
    ASSERT_EQ(count, 1u) << "the poll did not complete";
    EXPECT_EQ(completion.result, -EINVAL);
  }
  EXPECT_OK(mooring_ring_close(new_ring, kPatienceNs));
}

INSTANTIATE_TEST_SUITE_P(Engines, PollOfFileStuck,
                         ::testing::Values(MOORING_ENGINE_AUTO, MOORING_ENGINE_THREADS));

}  // namespace
}  // namespace mooring::conformance
