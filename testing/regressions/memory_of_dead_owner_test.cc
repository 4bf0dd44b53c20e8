// The memory of operations of a ring with OWNER_THREAD on the threads engine stayed in use for ever
// when the owner's thread had ended before another thread destroyed the ring: only the owner was
// taken to be able to bring in what had finished, which is so for io_uring alone. Whoever comes by
// does it now.
#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <algorithm>
#include <string>
#include <thread>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/mapped_memory.h"
#include "testing/support/operations.h"
#include "testing/support/pattern.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kBytes = 64 * 1024;
constexpr std::byte kMark{0xa7};

constexpr uint32_t kReads = 4;

class MemoryOfDeadOwner : public ::testing::Test {
 protected:
  // On a thread that ends with its reads in flight.
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

TEST_F(MemoryOfDeadOwner, IsTheCallersAgain) {
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
  EXPECT_EQ(pipe_.Drain().size(), sent.size()) << "something still reads the pipe";
  EXPECT_TRUE(IsAll(memory_.data(), kMark, memory_.size()));
}

}  // namespace
}  // namespace mooring::conformance
