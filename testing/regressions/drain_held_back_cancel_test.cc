// With a drain in flight, no operation could be cancelled on io_uring. A cancellation was a request
// of the ring, so it waited behind the drain, and the drain waited for the operation to be
// cancelled. mooring_ring_cancel had no effect, mooring_ring_close timed out, and the memory of a
// destroyed ring was never released. From its first drain on, a ring now cancels with a system call
// that a drain does not delay (IORING_REGISTER_SYNC_CANCEL, Linux 6.0).
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <cerrno>
#include <map>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

struct Case {
  const char* name;
  mooring_engine_t engine;
  uint32_t flags;
};

class DrainHeldBackCancel : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    mooring_facts_t facts{.struct_size = sizeof(facts)};
    ASSERT_OK(mooring_facts_get(&facts));
    const bool is_threads =
        GetParam().engine == MOORING_ENGINE_THREADS || facts.engine == MOORING_ENGINE_THREADS;
    SKIP_WITHOUT(is_threads || (facts.features & MOORING_FEATURE_SINGLE_ISSUER) != 0,
                 "IORING_REGISTER_SYNC_CANCEL", "run Linux 6.0 or later");
    SKIP_WITHOUT(GetParam().engine != MOORING_ENGINE_IO_URING ||
                     (facts.features & MOORING_FEATURE_SQPOLL) != 0,
                 "sqpoll", "allow IORING_SETUP_SQPOLL");
    mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
    options.engine = GetParam().engine;
    options.flags = GetParam().flags;
    mooring_ring_t* new_ring = nullptr;
    ASSERT_OK(mooring_ring_create(&options, &new_ring));
    ring_.reset(new_ring);
    // Operation 1 does not end by itself, 2 waits for it, and 3 for both.
    const mooring_op_t operations[] = {
        WithUserData(ReadStream(pipe_.read_fd(), AtAddress(bytes_), sizeof(bytes_)), 1),
        WithUserData(WithFlags(Nop(), MOORING_OPERATION_DRAIN), 2), WithUserData(Nop(), 3)};
    uint32_t accepted = 0;
    ASSERT_OK(mooring_ring_submit(ring_.get(), operations, 3, &accepted));
    ASSERT_EQ(accepted, 3u);
  }

  std::map<uint64_t, int64_t> Reap(uint32_t count) {
    mooring_completion_t completions[4];
    uint32_t reaped = 0;
    EXPECT_OK(mooring_ring_reap(ring_.get(), completions, 4, count, kPatienceNs, &reaped));
    std::map<uint64_t, int64_t> results;
    for (uint32_t i = 0; i < reaped; ++i) results[completions[i].user_data] = completions[i].result;
    return results;
  }

  const Pipe pipe_;
  char bytes_[16] = {};
  Ring ring_;
};

using Results = std::map<uint64_t, int64_t>;

TEST_P(DrainHeldBackCancel, CancelStopsTheOperationThatTheDrainWaitsFor) {
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 1, &count));
  EXPECT_EQ(count, 1u);
  EXPECT_EQ(Reap(3), (Results{{1, -ECANCELED}, {2, 0}, {3, 0}}));
}

TEST_P(DrainHeldBackCancel, CancelOperationReportsTheNumberOfTargets) {
  const mooring_op_t cancel = WithUserData(Cancel(1), 4);
  uint32_t accepted = 0;
  ASSERT_OK(mooring_ring_submit(ring_.get(), &cancel, 1, &accepted));
  EXPECT_EQ(Reap(4), (Results{{1, -ECANCELED}, {2, 0}, {3, 0}, {4, 1}}));
}

TEST_P(DrainHeldBackCancel, CloseCompletes) {
  EXPECT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
}

INSTANTIATE_TEST_SUITE_P(
    Rings, DrainHeldBackCancel,
    ::testing::Values(Case{"AnyThread", MOORING_ENGINE_AUTO, 0},
                      Case{"OwnerThread", MOORING_ENGINE_AUTO, MOORING_RING_OWNER_THREAD},
                      Case{"Sqpoll", MOORING_ENGINE_IO_URING, MOORING_RING_SQPOLL},
                      Case{"Threads", MOORING_ENGINE_THREADS, 0}),
    [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace mooring::conformance
