// HeldLeases: the operations in flight hold their lease, also after any thread has released it
// (rule 2).

#include <atomic>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class HeldLeases : public DataTest {
 protected:
  // Acquires every free buffer and returns the leases.
  std::vector<mooring_lease_t> AcquireTheRest() {
    std::vector<mooring_lease_t> leases;
    for (;;) {
      mooring_lease_t lease;
      mooring_error_t* error = mooring_slab_acquire(slab_.get(), 1, &lease);
      if (error != nullptr) {
        EXPECT_REFUSED(error, MOORING_CODE_EXHAUSTED);
        return leases;
      }
      leases.push_back(lease);
    }
  }
};

CONFORMANCE_TEST(HeldLeases, Rule2AnEarlyReleaseWaitsForTheOperation, kAnywhere) {
  const Pipe pipe;
  const mooring_lease_t lease = Acquire(slab_, 2);
  Submit(ring_, {ReadStream(pipe.read_fd(), InLease(registration_.get(), lease, 512), 512)});
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  EXPECT_EQ(Info(slab_).held_count, 2u);
  EXPECT_EQ(Info(slab_).leased_count, 2u);
  EXPECT_EQ(mooring_slab_data(slab_.get(), lease), nullptr)
      << "a released lease has no data pointer";

  // No other acquire returns the two buffers while the kernel may write to them.
  for (const mooring_lease_t& other : AcquireTheRest()) {
    EXPECT_GE(other.first_index, lease.first_index + lease.buffer_count);
  }
  const std::vector<std::byte> sent = Pattern(11, 0, 512);
  pipe.Write(sent.data(), sent.size());
  const mooring_completion_t completion = Reap(ring_, 1).front();
  EXPECT_EQ(completion.result, 512);
  EXPECT_TRUE(HasPattern(data(512), 11, 0, 512));

  EXPECT_EQ(Info(slab_).held_count, 0u);
  const mooring_lease_t again = Acquire(slab_, 2);
  EXPECT_EQ(again.first_index, lease.first_index);
  EXPECT_NE(again.generation, lease.generation);
}

CONFORMANCE_TEST(HeldLeases, Rule2TheLastOfManyOperationsReleasesIt, kAnywhere) {
  const Pipe first;
  const Pipe second;
  const mooring_lease_t lease = Acquire(slab_);
  Submit(ring_,
         {WithUserData(ReadStream(first.read_fd(), InLease(registration_.get(), lease, 0), 512), 1),
          WithUserData(ReadStream(second.read_fd(), InLease(registration_.get(), lease, 512), 512),
                       2)});
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  first.Write("one", 3);
  EXPECT_EQ(Reap(ring_, 1).front().user_data, 1u);
  EXPECT_EQ(Info(slab_).held_count, 1u) << "the second operation still uses it";
  second.Write("two", 3);
  EXPECT_EQ(Reap(ring_, 1).front().user_data, 2u);
  EXPECT_EQ(Info(slab_).held_count, 0u);
}

CONFORMANCE_TEST(HeldLeases, Rule2CancellationReleasesItToo, kAnywhere) {
  const Pipe pipe;
  const mooring_lease_t lease = Acquire(slab_);
  Submit(ring_,
         {WithUserData(ReadStream(pipe.read_fd(), InLease(registration_.get(), lease), 512), 5)});
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 5, &count));
  EXPECT_EQ(Reap(ring_, 1).front().result, -ECANCELED);
  EXPECT_EQ(Info(slab_).held_count, 0u);
  EXPECT_EQ(Info(slab_).leased_count, 0u);
}

CONFORMANCE_TEST(HeldLeases, ALeaseThatIsKeptStaysUsable, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(12, 0, 4096));
  const mooring_lease_t lease = Acquire(slab_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(RunOne(ring_, Read(file.get(), 0, InLease(registration_.get(), lease), 4096)).result,
              4096);
  }
  EXPECT_EQ(Info(slab_).leased_count, 1u);
  EXPECT_OK(mooring_slab_release(slab_.get(), lease));
}

CONFORMANCE_TEST(HeldLeases, Rule2AnyThreadMayReleaseEarly, kAnywhere) {
  const Pipe pipe;
  const mooring_lease_t lease = Acquire(slab_);
  Submit(ring_, {ReadStream(pipe.read_fd(), InLease(registration_.get(), lease), 512)});
  // The slab is for any thread, also when the ring has an owner thread.
  std::thread([&] { EXPECT_OK(mooring_slab_release(slab_.get(), lease)); }).join();
  EXPECT_EQ(Info(slab_).held_count, 1u);
  pipe.Write("x", 1);
  EXPECT_EQ(Reap(ring_, 1).front().result, 1);
  EXPECT_EQ(Info(slab_).held_count, 0u);
}

CONFORMANCE_TEST(HeldLeases, HaveOneOwnerAtATime, kAnywhere) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::vector<std::atomic<int>> owners(kBufferCount);
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int self = 1; self <= kThreads; ++self) {
    threads.emplace_back([&, self] {
      std::mt19937 random(seed + static_cast<unsigned>(self));
      for (int round = 0; round < kRounds; ++round) {
        mooring_lease_t lease;
        mooring_error_t* error = mooring_slab_acquire(slab_.get(), 1 + random() % 8, &lease);
        if (error != nullptr) {
          if (mooring_error_code(error) != MOORING_CODE_EXHAUSTED) ++failures;
          mooring_error_destroy(error);
          continue;
        }
        const uint32_t end = lease.first_index + lease.buffer_count;
        for (uint32_t i = lease.first_index; i < end; ++i) {
          if (owners[i].exchange(self) != 0) ++failures;
        }
        for (uint32_t i = lease.first_index; i < end; ++i) {
          if (owners[i].exchange(0) != self) ++failures;
        }
        if (mooring_error_t* refused = mooring_slab_release(slab_.get(), lease)) {
          ++failures;
          mooring_error_destroy(refused);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures.load(), 0);
  EXPECT_EQ(Info(slab_).leased_count, 0u);
}

}  // namespace
}  // namespace mooring::conformance
