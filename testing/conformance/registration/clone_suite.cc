// Clones: a slab on a second ring shares the pins of the first ring, and each ring releases its own
// slots.

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "testing/support/conformance_fixture.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

class Clones : public ConformanceTest {
 protected:
  void SetUp() override {
    if ((CurrentExpectation().capabilities & kCloning) != 0) {
      SKIP_WITHOUT(CanClone(), "clone_buffers", "run on Linux 6.13 or later");
    }
    first_ = CreateRing();
    second_ = CreateRing();
    slab_ = CreateSlab();
    ASSERT_NE(first_, nullptr);
    ASSERT_NE(second_, nullptr);
    ASSERT_NE(slab_, nullptr);
  }

  static bool CanClone() {
    mooring_facts_t facts{};
    facts.struct_size = sizeof facts;
    EXPECT_OK(mooring_facts_get(&facts));
    return (facts.features & MOORING_FEATURE_CLONE_BUFFERS) != 0;
  }

  static void ExpectCloned(const Registration& registration) {
    const mooring_registration_info_t info = Info(registration);
    EXPECT_EQ(info.outcome, MOORING_OUTCOME_FIXED) << info.message;
    EXPECT_EQ(info.bytes_cloned, info.bytes_requested);
    for (uint32_t i = 0; i < info.extent_count; ++i)
      EXPECT_EQ(Extent(registration, i).source, MOORING_SOURCE_CLONED);
  }

  static void ExpectPinnedWithoutClone(const Registration& registration) {
    const mooring_registration_info_t info = Info(registration);
    EXPECT_EQ(info.outcome, MOORING_OUTCOME_FIXED) << info.message;
    EXPECT_EQ(info.bytes_cloned, 0u);
    for (uint32_t i = 0; i < info.extent_count; ++i)
      EXPECT_EQ(Extent(registration, i).source, MOORING_SOURCE_PINNED);
  }

  // Reads all of the slab on the fixed path and checks the bytes in the slab.
  void ExpectReads(const Ring& ring, const Registration& registration, unsigned seed) {
    const Fd file = dir_.Create("data" + std::to_string(seed), Pattern(seed, 0, kSlabBytes));
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 0), kSlabBytes));
    EXPECT_EQ(read.result, static_cast<int64_t>(kSlabBytes));
    EXPECT_EQ(read.path, MOORING_PATH_FIXED);
    EXPECT_TRUE(HasPattern(Data(slab_), seed, 0, kSlabBytes));
  }

  const TempDir dir_;
  Ring first_;
  Ring second_;
  Slab slab_;
};

CONFORMANCE_TEST(Clones, ASecondRingSharesThePinsOfTheFirst, kPinned | kCloning) {
  const Registration first = Register(first_, slab_);
  ExpectPinnedWithoutClone(first);
  const uint64_t used = Info(first).memlock_used_bytes;
  const Registration second = Register(second_, slab_);
  ExpectCloned(second);
  EXPECT_EQ(Info(second).memlock_used_bytes, used) << "charged twice";
  ExpectReads(first_, first, 41);
  ExpectReads(second_, second, 42);
}

CONFORMANCE_TEST(Clones, WithoutCloningASecondRingPinsAgain, kPinned | kNoCloning) {
  EXPECT_FALSE(CanClone());
  Registration first = Register(first_, slab_);
  const uint64_t used = Info(first).memlock_used_bytes;
  const Registration second = Register(second_, slab_);
  ExpectPinnedWithoutClone(first);
  ExpectPinnedWithoutClone(second);
  const uint64_t charge = Info(second).memlock_exempt != 0 ? 0 : kSlabBytes;
  EXPECT_EQ(Info(second).memlock_used_bytes, used + charge);
  ExpectReads(first_, first, 53);
  first.reset();
  ExpectReads(second_, second, 54);
}

CONFORMANCE_TEST(Clones, RequireAcceptsAClone, kPinned | kCloning) {
  const Registration first = Register(first_, slab_);
  ExpectCloned(Register(second_, slab_, RegistrationOptions(MOORING_POLICY_REQUIRE)));
}

CONFORMANCE_TEST(Clones, EitherRegistrationMayBeDestroyedFirst, kPinned | kCloning) {
  for (const bool source_first : {true, false}) {
    SCOPED_TRACE(source_first ? "the source first" : "the clone first");
    Registration first = Register(first_, slab_);
    Registration second = Register(second_, slab_);
    ExpectCloned(second);
    (source_first ? first : second).reset();
    if (source_first) {
      ExpectReads(second_, second, 43);
    } else {
      ExpectReads(first_, first, 44);
    }
  }
}

CONFORMANCE_TEST(Clones, Rule1EitherRingMayBeDestroyedFirst, kPinned | kCloning) {
  for (const bool source_first : {true, false}) {
    SCOPED_TRACE(source_first ? "the source first" : "the clone first");
    slab_ = CreateSlab();
    Ring rings[] = {CreateRing(), CreateRing()};
    Registration registrations[] = {Register(rings[0], slab_), Register(rings[1], slab_)};
    ExpectCloned(registrations[1]);
    const int destroyed = source_first ? 0 : 1;
    rings[destroyed].reset();
    EXPECT_EQ(Info(registrations[destroyed]).outcome, MOORING_OUTCOME_COPY);
    EXPECT_EQ(Info(registrations[destroyed]).bytes_cloned, 0u);
    ExpectReads(rings[1 - destroyed], registrations[1 - destroyed], 45);
    registrations[destroyed].reset();
    ExpectReads(rings[1 - destroyed], registrations[1 - destroyed], 46);
    registrations[1 - destroyed].reset();
    EXPECT_OK(mooring_slab_close(slab_.get(), kPatienceNs));
  }
}

CONFORMANCE_TEST(Clones, Rule1AReadInFlightOnACloneKeepsTheMemory, kPinned | kCloning) {
  const Pipe pipe;
  Registration first = Register(first_, slab_);
  Registration second = Register(second_, slab_);
  ExpectCloned(second);
  Submit(second_, {ReadStream(pipe.read_fd(), InSlab(second.get(), 0), 512)});
  const std::byte* memory = Data(slab_);
  second.reset();
  first.reset();
  first_.reset();
  slab_.reset();
  ASSERT_TRUE(IsMapped(memory)) << "unmapped with a read in flight";
  const std::vector<std::byte> sent = Pattern(47, 0, 512);
  pipe.Write(sent.data(), sent.size());
  const mooring_completion_t read = Reap(second_, 1).front();
  EXPECT_EQ(read.result, 512);
  EXPECT_EQ(read.path, MOORING_PATH_FIXED);
  // The completion of the read ends its last registration. The kernel posts no tag for a clone, and
  // the library waits for none.
  ExpectUnmapped(memory);
}

CONFORMANCE_TEST(Clones, AThirdRingClonesFromTheSecondAfterTheFirstIsDestroyed,
                 kPinned | kCloning) {
  Registration first = Register(first_, slab_);
  const Registration second = Register(second_, slab_);
  first.reset();
  first_.reset();
  const Ring third = CreateRing();
  const Registration registration = Register(third, slab_);
  ExpectCloned(registration);
  ExpectReads(third, registration, 48);
}

CONFORMANCE_TEST(Clones, ExtentsOfAnotherSizeAreNotCloned, kPinned | kCloning) {
  const Registration first = Register(first_, slab_);
  mooring_registration_options_t options = RegistrationOptions();
  options.extent_bytes_max = kSlabBytes / 4;
  ExpectPinnedWithoutClone(Register(second_, slab_, options));
}

CONFORMANCE_TEST(Clones, ARingOfTheThreadsEngineHasNoClones, kPinned | kCloning) {
  mooring_ring_options_t options = RingOptions();
  options.flags = 0;
  options.engine = MOORING_ENGINE_THREADS;
  const Ring threads = CreateRing(options);
  const Registration none = Register(threads, slab_);
  EXPECT_EQ(Info(none).reason, MOORING_REASON_ENGINE_THREADS);
  ExpectPinnedWithoutClone(Register(first_, slab_));
  EXPECT_EQ(Info(Register(threads, slab_)).bytes_cloned, 0u);
  EXPECT_EQ(Extent(none, 0).source, MOORING_SOURCE_NONE);
}

CONFORMANCE_TEST(Clones, ARingOfAnotherThreadIsFixedWithOrWithoutAClone, kOwnerThread | kCloning) {
  const Registration first = Register(first_, slab_);
  std::thread([&] {
    const Ring ring = CreateRing();
    const Registration second = Register(ring, slab_);
    // The kernel returns EEXIST for the source ring (seen on 6.18). Kernels that allow it give a
    // clone.
    EXPECT_EQ(Info(second).outcome, MOORING_OUTCOME_FIXED) << Info(second).message;
    ExpectReads(ring, second, 49);
  }).join();
}

// Registrations are created and destroyed on two threads. Each clones from the other where that has
// one.
CONFORMANCE_TEST(Clones, Rule1TwoThreadsCreateAndDestroyRegistrations,
                 kAnyThread | kPinned | kCloning) {
  constexpr int kRounds = 60;
  const Fd file = dir_.Create("data", Pattern(50, 0, 4096));
  std::atomic<uint64_t> cloned{0};
  std::atomic<int> at_work{2};
  const auto work = [&](const Ring& ring) {
    // Runs until both threads have done their rounds and there was a clone. Until then each thread
    // has another one to clone from. If there is never a clone, the test's deadline ends the loop.
    bool counted = false;
    for (int round = 0; !counted || at_work.load() > 0; ++round) {
      const Registration registration = Register(ring, slab_);
      cloned += Info(registration).bytes_cloned > 0;
      const mooring_completion_t read =
          RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 4096), 4096));
      EXPECT_EQ(read.result, 4096);
      EXPECT_EQ(read.path, MOORING_PATH_FIXED);
      if (round + 1 >= kRounds && cloned.load() > 0 && !std::exchange(counted, true)) --at_work;
    }
  };
  std::thread other([&] { work(second_); });
  work(first_);
  other.join();
  EXPECT_GT(cloned.load(), 0u);
  EXPECT_TRUE(HasPattern(Data(slab_) + 4096, 50, 0, 4096));
  EXPECT_OK(mooring_slab_close(slab_.get(), kPatienceNs));
}

}  // namespace
}  // namespace mooring::conformance
