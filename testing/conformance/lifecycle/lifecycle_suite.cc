// Lifecycle: objects are created and destroyed in any order, at any time, and leave nothing behind.

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

constexpr int kObjectCount = 3;

class Lifecycle : public ConformanceTest {
 protected:
  // Calls `visit` with each order of destruction of three objects.
  template <typename Visit>
  static void ForEachOrder(Visit visit) {
    std::array<int, kObjectCount> order = {0, 1, 2};
    do {
      std::string name;
      for (int object : order) name += std::array{"ring ", "slab ", "registration "}[object];
      SCOPED_TRACE("destroyed in this order: " + name);
      visit(order);
    } while (std::next_permutation(order.begin(), order.end()));
  }

  static void Destroy(int object, Ring& ring, Slab& slab, Registration& registration) {
    if (object == 0) ring.reset();
    if (object == 1) slab.reset();
    if (object == 2) registration.reset();
  }
};

CONFORMANCE_TEST(Lifecycle, DestroysNull, kAnywhere) {
  mooring_ring_destroy(nullptr);
  mooring_slab_destroy(nullptr);
  mooring_registration_destroy(nullptr);
  mooring_error_destroy(nullptr);
}

CONFORMANCE_TEST(Lifecycle, DestroysInEveryOrder, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(1, 0, kBufferBytes));
  ForEachOrder([&](const std::array<int, kObjectCount>& order) {
    Ring ring = CreateRing();
    Slab slab = CreateSlab();
    Registration registration = Register(ring, slab);
    const void* data = Data(slab);
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 0), kBufferBytes));
    ASSERT_EQ(read.result, static_cast<int64_t>(kBufferBytes));

    for (int object : order) Destroy(object, ring, slab, registration);
    ExpectUnmapped(data);
  });
}

// Rule 1 keeps the memory while the kernel may write to it. Rule 9 releases it after that.
CONFORMANCE_TEST(Lifecycle, DestroysInEveryOrderWithOperationsInFlight, kAnywhere) {
  ForEachOrder([&](const std::array<int, kObjectCount>& order) {
    Pipe pipe;
    Ring ring = CreateRing();
    Slab slab = CreateSlab();
    Registration registration = Register(ring, slab);
    const void* data = Data(slab);
    std::vector<mooring_op_t> reads;
    for (uint64_t i = 0; i < 4; ++i) {
      reads.push_back(
          ReadStream(pipe.read_fd(), InSlab(registration.get(), i * kBufferBytes), 512));
    }
    Submit(ring, reads);

    for (int object : order) Destroy(object, ring, slab, registration);
    ExpectUnmapped(data);
    // If an operation still read the pipe, this byte would be gone.
    pipe.Write("x", 1);
    EXPECT_EQ(pipe.Drain().size(), 1u);
  });
}

CONFORMANCE_TEST(Lifecycle, ARingWithoutSlabAndRegistrationWorks, kAnywhere) {
  const Ring ring = CreateRing();
  ASSERT_NE(ring, nullptr);
  EXPECT_EQ(RunOne(ring, Nop()).result, 0);
}

CONFORMANCE_TEST(Lifecycle, ManyRegistrationsOfOneSlabAndManySlabsOnOneRing, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(2, 0, 4096));
  std::array<Ring, 2> rings = {CreateRing(), CreateRing()};
  std::array<Slab, 2> slabs = {CreateSlab(), CreateSlab()};
  std::vector<Registration> registrations;
  for (Ring& ring : rings) {
    for (Slab& slab : slabs) {
      registrations.push_back(Register(ring, slab));
      const Registration& registration = registrations.back();
      const mooring_completion_t read =
          RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 4096), 4096));
      EXPECT_EQ(read.result, 4096);
      EXPECT_EQ(read.path, PathOf(registration, 4096, 4096));
      EXPECT_TRUE(HasPattern(Data(slab) + 4096, 2, 0, 4096));
    }
  }
  // The destruction of one ring does not change the other ring's path.
  rings[0].reset();
  for (uint32_t i = 2; i < 4; ++i) {
    const mooring_completion_t read =
        RunOne(rings[1], Read(file.get(), 0, InSlab(registrations[i].get(), 0), 4096));
    EXPECT_EQ(read.result, 4096);
    EXPECT_EQ(read.path, PathOf(registrations[i], 0, 4096));
  }
}

CONFORMANCE_TEST(Lifecycle, TwoHundredCyclesLeakNothing, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(3, 0, 4096));
  // Within the budget where that is small: waiting for returned budget is for other tests.
  const bool partial = CurrentExpectation().outcome == MOORING_OUTCOME_PARTIAL;
  const uint64_t buffer_count = partial ? kBufferCount / 8 : kBufferCount;
  const auto cycle = [&] {
    const Ring ring = CreateRing();
    const Slab slab = CreateSlab(SlabOptions(buffer_count));
    const Registration registration = Register(ring, slab);
    int32_t event_fd = -1;
    EXPECT_OK(mooring_ring_event_fd(ring.get(), &event_fd));
    const Place place = InSlab(registration.get(), 0);
    EXPECT_EQ(RunOne(ring, Read(file.get(), 0, place, 4096)).result, 4096);
  };
  for (int i = 0; i < 10; ++i) cycle();  // to create everything that is created once and kept
  const uint64_t fds = OpenFdCount();
  const uint64_t threads = ThreadCount();
  const uint64_t mappings = MappingCount();
  for (int i = 0; i < 200 && !HasFailure(); ++i) cycle();

  EXPECT_TRUE(Eventually([&] { return OpenFdCount() <= fds; }))
      << OpenFdCount() << " descriptors, " << fds << " before";
  EXPECT_TRUE(Eventually([&] { return ThreadCount() <= threads; }))
      << ThreadCount() << " threads, " << threads << " before";
  EXPECT_TRUE(Eventually([] { return MappingCount("[io_uring]") == 0; }));
  // The number of the allocator's mappings varies. The mappings of 200 slabs or rings are far more
  // than this.
  constexpr uint64_t kAllocatorMappings = 60;
  EXPECT_TRUE(Eventually([&] { return MappingCount() <= mappings + kAllocatorMappings; }))
      << MappingCount() << " mappings, " << mappings << " before";
}

}  // namespace
}  // namespace mooring::conformance
