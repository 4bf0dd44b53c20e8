// A ring with an owner thread starved the completions that the kernel had deferred (DEFER_TASKRUN).
// As long as each reap found a completion, no call asked the kernel for events, and a read whose
// data had arrived never completed. When such a ring was closed, the completions of its own
// cancellations had the same effect, and the close timed out. When another thread destroyed such a
// ring, its operations were never cancelled, so its slab could not be closed.
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <thread>
#include <vector>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"

namespace mooring::conformance {
namespace {

class OwnerStarved : public ::testing::Test {
 protected:
  void SetUp() override {
    mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
    options.flags = MOORING_RING_OWNER_THREAD;
    mooring_ring_t* ring = nullptr;
    ASSERT_OK(mooring_ring_create(&options, &ring));
    ring_.reset(ring);
    mooring_slab_options_t slab_options = MOORING_SLAB_OPTIONS_INIT;
    slab_options.buffer_bytes = 4096;
    mooring_slab_t* slab = nullptr;
    ASSERT_OK(mooring_slab_create(&slab_options, &slab));
    slab_.reset(slab);
    mooring_registration_t* registration = nullptr;
    ASSERT_OK(mooring_registration_create(ring, slab, nullptr, &registration));
    registration_.reset(registration);
  }

  void Submit(const std::vector<mooring_op_t>& operations) {
    uint32_t accepted = 0;
    const auto count = static_cast<uint32_t>(operations.size());
    ASSERT_OK(mooring_ring_submit(ring_.get(), operations.data(), count, &accepted));
    ASSERT_EQ(accepted, count);
  }

  void SubmitPipeRead() {
    const Place place = InSlab(registration_.get(), 0);
    Submit({WithUserData(ReadStream(pipe_.read_fd(), place, 16), 1)});
  }

  const Pipe pipe_;
  Slab slab_;
  Ring ring_;
  Registration registration_;
};

TEST_F(OwnerStarved, ReadIsNotStarvedByNops) {
  SubmitPipeRead();
  pipe_.Write("abc", 3);
  EXPECT_TRUE(Eventually([&] {
    Submit({Nop(), Nop()});
    uint64_t reads_completed = 0;
    for (int i = 0; i < 2; ++i) {
      mooring_completion_t completion{};
      uint32_t got = 0;
      EXPECT_OK(mooring_ring_reap(ring_.get(), &completion, 1, 1, kPatienceNs, &got));
      reads_completed += completion.user_data;
    }
    return reads_completed != 0;
  }));
}

TEST_F(OwnerStarved, CloseIsNotStarvedByItsCancellations) {
  SubmitPipeRead();
  EXPECT_OK(mooring_ring_close(ring_.get(), kPatienceNs));
}

TEST_F(OwnerStarved, OwnerCompletesARingThatAnotherThreadDestroyed) {
  SubmitPipeRead();
  std::thread([&] {
    registration_.reset();
    ring_.reset();
  }).join();
  EXPECT_OK(mooring_slab_close(slab_.get(), kPatienceNs));
}

}  // namespace
}  // namespace mooring::conformance
