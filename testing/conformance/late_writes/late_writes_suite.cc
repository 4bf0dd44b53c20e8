// LateWrites: the kernel never writes to memory that Mooring has returned (rule 1). Closing a ring,
// unregistering and cancelling do not prove that. Only the completion of the operation does, so the
// library waits for that, and for nothing else.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/held_file.h"
#include "testing/support/kernel_probe.h"
#include "testing/support/mapped_memory.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

constexpr std::byte kCanary{0xc5};
constexpr uint64_t kReadBytes = 512;
constexpr uint64_t kReads = 8;

enum Step : int { kReleaseLeases, kDestroyRegistration, kDestroyRing, kStepCount };

class LateWrites : public ConformanceTest {
 protected:
  struct Objects {
    Ring ring;
    Slab slab;
    Registration registration;
    std::vector<mooring_lease_t> leases;
  };

  // Adopts `memory` and starts reads of `fd` into it, each with a lease.
  static Objects StartReads(const MappedMemory& memory, int fd) {
    Objects objects{.ring = CreateRing(),
                    .slab = Adopt(memory.data(), memory.size(), kBufferBytes)};
    objects.registration = Register(objects.ring, objects.slab);
    std::vector<mooring_op_t> reads;
    for (uint64_t i = 0; i < kReads; ++i) {
      objects.leases.push_back(Acquire(objects.slab));
      reads.push_back(
          ReadStream(fd, InLease(objects.registration.get(), objects.leases.back()), kReadBytes));
    }
    Submit(objects.ring, reads);
    return objects;
  }

  static void Take(int step, Objects& objects) {
    if (step == kReleaseLeases) {
      for (const mooring_lease_t& lease : objects.leases)
        EXPECT_OK(mooring_slab_release(objects.slab.get(), lease));
    }
    if (step == kDestroyRegistration) objects.registration.reset();
    if (step == kDestroyRing) objects.ring.reset();
  }

  // Fills the memory with a marker, writes the bytes that the reads waited for, and checks that the
  // memory does not change. All of the bytes are still in the pipe, so no operation has taken any,
  // and the check needs no wait.
  static void ExpectNoLateWrite(const MappedMemory& memory, const Pipe& pipe) {
    std::fill_n(memory.data(), memory.size(), kCanary);
    const std::vector<std::byte> sent = Pattern(121, 0, kReads * kReadBytes);
    pipe.Write(sent.data(), sent.size());
    const std::vector<std::byte> left = pipe.Drain();
    ASSERT_EQ(left.size(), sent.size()) << "something still reads the pipe";
    EXPECT_TRUE(HasPattern(left.data(), 121, 0, left.size()));
    EXPECT_TRUE(IsAll(memory.data(), kCanary, memory.size()));
  }
};

CONFORMANCE_TEST(LateWrites, Rule1MemoryIsUnusedAfterEveryOrderOfDestruction, kAnywhere) {
  std::array<int, kStepCount> order = {kReleaseLeases, kDestroyRegistration, kDestroyRing};
  do {
    SCOPED_TRACE("order " + std::to_string(order[0]) + std::to_string(order[1]) +
                 std::to_string(order[2]) + " of leases, registration, ring");
    const Pipe pipe;
    const MappedMemory memory(kSlabBytes);
    Objects objects = StartReads(memory, pipe.read_fd());
    for (int step : order) Take(step, objects);
    ASSERT_OK(mooring_slab_close(objects.slab.get(), kPatienceNs));
    ExpectNoLateWrite(memory, pipe);
  } while (std::next_permutation(order.begin(), order.end()));
}

CONFORMANCE_TEST(LateWrites, Rule1MemoryIsUnusedAfterAClose, kAnywhere) {
  const Pipe pipe;
  const MappedMemory memory(kSlabBytes);
  Objects objects = StartReads(memory, pipe.read_fd());
  ASSERT_OK(mooring_ring_close(objects.ring.get(), kPatienceNs));
  objects.registration.reset();
  ASSERT_OK(mooring_slab_close(objects.slab.get(), kPatienceNs));
  ExpectNoLateWrite(memory, pipe);
}

CONFORMANCE_TEST(LateWrites, Rule1MemoryIsUnusedAfterCancellation, kAnywhere) {
  const Pipe pipe;
  const MappedMemory memory(kSlabBytes);
  Objects objects = StartReads(memory, pipe.read_fd());
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(objects.ring.get(), 0, &count));
  EXPECT_EQ(count, kReads);
  objects.registration.reset();
  Reap(objects.ring, kReads);
  ASSERT_OK(mooring_slab_close(objects.slab.get(), kPatienceNs));
  ExpectNoLateWrite(memory, pipe);
}

CONFORMANCE_TEST(LateWrites, Rule1MemoryIsUnusedAfterReadsOfAFifo, kAnywhere) {
  const TempDir dir;
  const Fd fifo = dir.CreateFifo("fifo");
  const MappedMemory memory(kSlabBytes);
  Objects objects = StartReads(memory, fifo.get());
  objects.registration.reset();
  objects.ring.reset();
  ASSERT_OK(mooring_slab_close(objects.slab.get(), kPatienceNs));
  std::fill_n(memory.data(), memory.size(), kCanary);
  const std::vector<std::byte> sent = Pattern(122, 0, kReadBytes);
  ASSERT_EQ(write(fifo.get(), sent.data(), sent.size()), static_cast<ssize_t>(sent.size()));
  std::vector<std::byte> left(kReadBytes);
  ASSERT_EQ(read(fifo.get(), left.data(), left.size()), static_cast<ssize_t>(left.size()));
  EXPECT_TRUE(HasPattern(left.data(), 122, 0, left.size()));
  EXPECT_TRUE(IsAll(memory.data(), kCanary, memory.size()));
}

CONFORMANCE_TEST(LateWrites, Rule1AReadThatRacesDestructionWritesBeforeTheClose, kAnywhere) {
  // The bytes arrive while all objects are being destroyed. A read that takes them writes them
  // before the slab is closed.
  for (int round = 0; round < 20; ++round) {
    const Pipe pipe;
    const MappedMemory memory(kSlabBytes);
    Objects objects = StartReads(memory, pipe.read_fd());
    const std::vector<std::byte> sent = Pattern(123, 0, kReads * kReadBytes);
    objects.registration.reset();
    pipe.Write(sent.data(), sent.size());
    objects.ring.reset();
    ASSERT_OK(mooring_slab_close(objects.slab.get(), kPatienceNs));

    std::fill_n(memory.data(), memory.size(), kCanary);
    const uint64_t left = pipe.Drain().size();
    EXPECT_EQ(left % kReadBytes, 0u) << "a read took only a part of its bytes";
    pipe.Write(sent.data(), sent.size());
    EXPECT_EQ(pipe.Drain().size(), sent.size()) << "something still reads the pipe";
    EXPECT_TRUE(IsAll(memory.data(), kCanary, memory.size())) << "in round " << round;
  }
}

CONFORMANCE_TEST(LateWrites, Rule1OwnedMemoryStaysMappedOnlyWhileInFlight, kAnywhere) {
  const Pipe pipe;
  Ring ring = CreateRing();
  Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  const std::byte* memory = Data(slab);
  Submit(
      ring,
      {WithUserData(ReadStream(pipe.read_fd(), InSlab(registration.get(), 0), kReadBytes), 1),
       WithUserData(
           ReadStream(pipe.read_fd(), InSlab(registration.get(), kBufferBytes), kReadBytes), 2)});
  registration.reset();
  slab.reset();
  ASSERT_TRUE(IsMapped(memory)) << "unmapped with two reads in flight";

  // The reads in flight still write to the destroyed slab's memory.
  const std::vector<std::byte> sent = Pattern(124, 0, kReadBytes);
  pipe.Write(sent.data(), sent.size());
  const mooring_completion_t first = Reap(ring, 1).front();
  EXPECT_EQ(first.result, static_cast<int64_t>(kReadBytes));
  ASSERT_TRUE(IsMapped(memory)) << "unmapped with a read in flight";
  EXPECT_TRUE(HasPattern(memory + (first.user_data == 1 ? 0 : kBufferBytes), 124, 0, kReadBytes));

  pipe.Write(sent.data(), sent.size());
  EXPECT_EQ(Reap(ring, 1).front().result, static_cast<int64_t>(kReadBytes));
  // Up to Linux 6.3 the kernel releases a pin a second late. Calls on the ring process its report.
  EXPECT_TRUE(Eventually([&] {
    EXPECT_EQ(RunOne(ring, Nop()).result, 0);
    return !IsMapped(memory);
  })) << "still mapped after the last operation";
}

CONFORMANCE_TEST(LateWrites, Rule1AnUncancellableWriteKeepsAdoptedMemory, kAnywhere) {
  SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", kUserfaultfdRemedy);
  const TempDir dir;
  HeldFile file(dir);
  MappedMemory memory(kSlabBytes);
  FillPattern(memory.data(), 126, 0, kSlabBytes);
  Objects objects{.ring = CreateRing(), .slab = Adopt(memory.data(), memory.size(), kBufferBytes)};
  objects.registration = Register(objects.ring, objects.slab);
  const mooring_lease_t lease = Acquire(objects.slab);
  Submit(objects.ring, {Write(file.fd(), 0, InLease(objects.registration.get(), lease), 4096)});
  ASSERT_TRUE(file.WaitForStuckWrite());
  EXPECT_OK(mooring_slab_release(objects.slab.get(), lease));
  objects.registration.reset();
  objects.ring.reset();  // does not wait
  EXPECT_REFUSED(mooring_slab_close(objects.slab.get(), kQuietNs), MOORING_CODE_TIMEOUT);

  file.Release();
  ASSERT_OK(mooring_slab_close(objects.slab.get(), kPatienceNs));
  std::fill_n(memory.data(), memory.size(), kCanary);
  EXPECT_TRUE(HasPattern(Contents(file.fd()).data(), 126, 0, 4096))
      << "the write used memory that was returned already";
}

CONFORMANCE_TEST(LateWrites, Rule1AnUncancellableWriteKeepsOwnedMemoryMapped, kAnywhere) {
  SKIP_WITHOUT(HasUserfaultfd(), "userfaultfd", kUserfaultfdRemedy);
  const TempDir dir;
  HeldFile file(dir);
  Ring ring = CreateRing();
  Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  const std::byte* memory = Data(slab);
  FillPattern(Data(slab), 127, 0, 4096);
  Submit(ring, {Write(file.fd(), 0, InSlab(registration.get(), 0), 4096)});
  ASSERT_TRUE(file.WaitForStuckWrite());
  registration.reset();
  ring.reset();
  slab.reset();
  EXPECT_TRUE(IsMapped(memory)) << "unmapped with a write in flight";

  file.Release();
  ExpectUnmapped(memory);
  EXPECT_TRUE(HasPattern(Contents(file.fd()).data(), 127, 0, 4096));
}

CONFORMANCE_TEST(LateWrites, Rule1ReleasedBuffersInFlightAreNotLeasedAgain, kAnywhere) {
  const Pipe pipe;
  const MappedMemory memory(kSlabBytes);
  Objects objects = StartReads(memory, pipe.read_fd());
  Take(kReleaseLeases, objects);
  std::vector<mooring_lease_t> others;
  for (uint64_t i = kReads; i < kBufferCount; ++i) others.push_back(Acquire(objects.slab));
  for (const mooring_lease_t& lease : others) {
    EXPECT_GE(lease.first_index, kReads);
    std::fill_n(static_cast<std::byte*>(mooring_slab_data(objects.slab.get(), lease)), kBufferBytes,
                kCanary);
  }
  const std::vector<std::byte> sent = Pattern(125, 0, kReads * kReadBytes);
  pipe.Write(sent.data(), sent.size());
  Reap(objects.ring, kReads);
  EXPECT_TRUE(IsAll(memory.data() + kReads * kBufferBytes, kCanary,
                    (kBufferCount - kReads) * kBufferBytes));
}

}  // namespace
}  // namespace mooring::conformance
