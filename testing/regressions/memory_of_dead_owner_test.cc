// A ring with OWNER_THREAD on the threads engine kept the memory of its operations in use without
// limit when the owner thread had ended before another thread destroyed the ring. The library
// assumed that only the owner can collect the completed operations, which is true on io_uring
// alone. Any thread that calls the library collects them now.
//
// The memory of an io_uring ring with only cancellations in flight was kept in the same way. Their
// results were in the overflow list of the completion queue, which only the owner can read. The
// library no longer waits for these results.
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/mapped_memory.h"
#include "testing/support/operations.h"
#include "testing/support/pattern.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kBytes = 64 * 1024;
constexpr std::byte kMark{0xa7};

constexpr uint32_t kReads = 4;

class MemoryOfDeadOwner : public ::testing::Test {
 protected:
  // Runs on a thread that ends while these reads are in flight.
  void StartReads() {
    mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
    options.flags = MOORING_RING_OWNER_THREAD;
    options.engine = MOORING_ENGINE_THREADS;
    mooring_ring_t* ring = nullptr;
    ASSERT_OK(mooring_ring_create(&options, &ring));
    ring_.reset(ring);
    mooring_registration_t* registration = nullptr;
    ASSERT_OK(mooring_registration_create(ring, slab_.get(), nullptr, &registration));
    registration_.reset(registration);
    for (uint32_t i = 0; i < kReads; ++i) {
      const mooring_op_t read = ReadStream(pipe_.read_fd(), InSlab(registration, i * 512), 512);
      uint32_t accepted = 0;
      ASSERT_OK(mooring_ring_submit(ring, &read, 1, &accepted));
      ASSERT_EQ(accepted, 1u);
    }
  }

  const Pipe pipe_;
  const MappedMemory memory_{kBytes};
  Slab slab_;
  Ring ring_;
  Registration registration_;
};

TEST_F(MemoryOfDeadOwner, IsReleased) {
  mooring_slab_t* slab = nullptr;
  ASSERT_OK(mooring_slab_adopt(memory_.data(), memory_.size(), nullptr, &slab));
  slab_.reset(slab);
  std::thread([this] { StartReads(); }).join();
  registration_.reset();
  ring_.reset();
  ASSERT_OK(mooring_slab_close(slab, kPatienceNs));
  std::fill_n(memory_.data(), memory_.size(), kMark);
  const std::string sent(512, 'x');
  pipe_.Write(sent.data(), sent.size());
  EXPECT_EQ(pipe_.Drain().size(), sent.size()) << "a read of the pipe is still in flight";
  EXPECT_TRUE(IsAll(memory_.data(), kMark, memory_.size()));
}

TEST_F(MemoryOfDeadOwner, IsReleasedWhenOnlyCancellationsAreLeft) {
  constexpr uint32_t kCompletions = 16;
  mooring_slab_t* slab = nullptr;
  ASSERT_OK(mooring_slab_adopt(memory_.data(), memory_.size(), nullptr, &slab));
  slab_.reset(slab);
  bool has_io_uring = true;
  std::thread([&] {
    mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
    options.flags = MOORING_RING_OWNER_THREAD;
    options.engine = MOORING_ENGINE_IO_URING;
    options.submission_count = 8;
    options.completion_count = kCompletions;
    options.in_flight_max = kCompletions;
    mooring_ring_t* ring = nullptr;
    has_io_uring = Take(mooring_ring_create(&options, &ring)).ok();
    if (!has_io_uring) return;
    ring_.reset(ring);
    mooring_registration_t* registration = nullptr;
    ASSERT_OK(mooring_registration_create(ring, slab, nullptr, &registration));
    registration_.reset(registration);
    // They fill the completion queue. As the caller has not reaped, they count as in flight.
    const std::vector<mooring_op_t> nops(kCompletions, WithUserData(Nop(), 7));
    uint32_t count = 0;
    ASSERT_OK(mooring_ring_submit(ring, nops.data(), kCompletions, &count));
    ASSERT_OK(mooring_ring_cancel(ring, 7, &count));
    EXPECT_EQ(count, kCompletions);
  }).join();
  SKIP_WITHOUT(has_io_uring, "owner_ring",
               "run where io_uring supports an owner thread (Linux 6.1)");
  registration_.reset();
  ring_.reset();
  EXPECT_OK(mooring_slab_close(slab, kPatienceNs));
}

}  // namespace
}  // namespace mooring::conformance
