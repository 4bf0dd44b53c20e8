// WholeTable: memory can be registered only as a whole table and only while nothing is in flight. A
// registration made at another time succeeds: it copies, reports why, and is fixed by the next call
// that finds the ring idle.

#include <cerrno>
#include <thread>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class WholeTable : public ConformanceTest {
 protected:
  void SetUp() override {
    ring_ = CreateRing();
    slab_ = CreateSlab();
    ASSERT_NE(ring_, nullptr);
    ASSERT_NE(slab_, nullptr);
  }

  // The read is in flight until EndRead, and not into the slab.
  void StartRead() { Submit(ring_, {ReadStream(pipe_.read_fd(), AtAddress(elsewhere_), 1)}); }
  void EndRead() {
    pipe_.Write("x", 1);
    EXPECT_EQ(Reap(ring_, 1).front().result, 1);
  }
  mooring_path_t PathOfRead(const Registration& registration) {
    const mooring_completion_t read =
        RunOne(ring_, Read(file_.get(), 0, InSlab(registration.get(), 0), 4096));
    EXPECT_EQ(read.result, 4096);
    return read.path;
  }

  const TempDir dir_;
  const Fd file_ = dir_.Create("data", Pattern(51, 0, kSlabBytes));
  const Pipe pipe_;
  char elsewhere_[1] = {};
  Ring ring_;
  Slab slab_;
};

CONFORMANCE_TEST(WholeTable, Rule5CopiesAndReportsWhyWhileOperationsAreInFlight, kWholeTable) {
  StartRead();
  const Registration registration = Register(ring_, slab_);
  ASSERT_NE(registration, nullptr);
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.outcome, MOORING_OUTCOME_COPY);
  EXPECT_EQ(info.reason, MOORING_REASON_KERNEL_TOO_OLD);
  EXPECT_EQ(info.system_error, EBUSY);
  EXPECT_TRUE(ContainsIgnoringCase(info.message, "in flight")) << info.message;
  EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "reap")) << info.remedy;
  EndRead();
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;
  EXPECT_STREQ(Info(registration).message, "");
  EXPECT_EQ(PathOfRead(registration), MOORING_PATH_FIXED);
  EXPECT_TRUE(HasPattern(Data(slab_), 51, 0, 4096));
}

CONFORMANCE_TEST(WholeTable, Rule5RequireFailsWhileOperationsAreInFlight, kWholeTable) {
  StartRead();
  const mooring_registration_info_t info = Info(Register(ring_, slab_));
  const mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_REQUIRE);
  mooring_registration_t* required = nullptr;
  const Failure failure =
      Take(mooring_registration_create(ring_.get(), slab_.get(), &options, &required));
  EXPECT_EQ(required, nullptr);
  EXPECT_EQ(failure.code, MOORING_CODE_INVALID_STATE) << failure.ToString();
  EXPECT_EQ(failure.retry, MOORING_RETRY_LATER);
  EXPECT_EQ(failure.system_error, EBUSY);
  EXPECT_EQ(failure.message, info.message);
  EXPECT_EQ(failure.remedy, info.remedy);
  EndRead();
  EXPECT_EQ(Info(Register(ring_, slab_, options)).outcome, MOORING_OUTCOME_FIXED);
}

CONFORMANCE_TEST(WholeTable, APromoteWithOperationsInFlightIsDoneAfterThem, kWholeTable) {
  StartRead();
  const Registration registration = Register(ring_, slab_);
  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).system_error, EBUSY);
  EXPECT_EQ(PathOfRead(registration), MOORING_PATH_COPY);
  EndRead();
  EXPECT_EQ(PathOfRead(registration), MOORING_PATH_FIXED);
}

CONFORMANCE_TEST(WholeTable, AFixedRegistrationStaysFixedWhileAnotherWaits, kWholeTable) {
  const Registration first = Register(ring_, slab_);
  ASSERT_EQ(Info(first).outcome, MOORING_OUTCOME_FIXED) << Info(first).message;
  Submit(ring_, {ReadStream(pipe_.read_fd(), InSlab(first.get(), 0), 512)});
  const Slab other = CreateSlab();
  const Registration second = Register(ring_, other);
  EXPECT_EQ(Info(second).outcome, MOORING_OUTCOME_COPY);
  EXPECT_EQ(Info(first).outcome, MOORING_OUTCOME_FIXED);
  const std::vector<std::byte> sent = Pattern(52, 0, 512);
  pipe_.Write(sent.data(), sent.size());
  const mooring_completion_t read = Reap(ring_, 1).front();
  EXPECT_EQ(read.result, 512);
  EXPECT_EQ(read.path, MOORING_PATH_FIXED);
  EXPECT_TRUE(HasPattern(Data(slab_), 52, 0, 512));
  EXPECT_EQ(PathOfRead(first), MOORING_PATH_FIXED);
  EXPECT_EQ(PathOfRead(second), MOORING_PATH_FIXED);
}

CONFORMANCE_TEST(WholeTable, Rule1ADestroyedRegistrationIsReleasedWhenTheRingIsIdle, kWholeTable) {
  const uint64_t before = Info(slab_).kernel_reference_count;
  Registration registration = Register(ring_, slab_);
  const uint64_t held = Info(slab_).kernel_reference_count;
  EXPECT_GT(held, before);
  StartRead();
  registration.reset();
  EXPECT_GT(Info(slab_).kernel_reference_count, before) << "the kernel still has the pages";
  EndRead();
  EXPECT_EQ(Info(slab_).kernel_reference_count, before);
  EXPECT_OK(mooring_slab_close(slab_.get(), kPatienceNs));
}

CONFORMANCE_TEST(WholeTable, AFreedSlotIsReusedAndTheOthersStay, kWholeTable) {
  std::vector<Slab> slabs;
  std::vector<Registration> registrations;
  for (int i = 0; i < 3; ++i) {
    slabs.push_back(CreateSlab(SlabOptions(2)));
    registrations.push_back(Register(ring_, slabs.back()));
  }
  const auto expect_reads = [&] {
    for (size_t i = 0; i < registrations.size(); ++i) {
      if (registrations[i] == nullptr) continue;
      const uint64_t offset = i * kBufferBytes;
      const mooring_completion_t read =
          RunOne(ring_, Read(file_.get(), offset, InSlab(registrations[i].get(), 0), kBufferBytes));
      EXPECT_EQ(read.result, static_cast<int64_t>(kBufferBytes));
      EXPECT_EQ(read.path, MOORING_PATH_FIXED);
      EXPECT_TRUE(HasPattern(Data(slabs[i]), 51, offset, kBufferBytes));
    }
  };
  expect_reads();
  registrations[1].reset();
  expect_reads();
  registrations[1] = Register(ring_, slabs[1]);
  expect_reads();
  registrations[2].reset();
  registrations[0].reset();
  expect_reads();
}

CONFORMANCE_TEST(WholeTable, AReaperThatWaitsOnAnIdleRingDoesNotBlockIt, kWholeTable | kAnyThread) {
  std::thread reaper([&] { EXPECT_EQ(Reap(ring_, 1).size(), 1u); });
  const Registration registration = Register(ring_, slab_);
  EXPECT_TRUE(Eventually([&] { return Info(registration).outcome == MOORING_OUTCOME_FIXED; }))
      << Info(registration).message;
  Submit(ring_, {Nop()});
  reaper.join();
}

CONFORMANCE_TEST(WholeTable, HasItsLimitAndFeatures, kWholeTable) {
  mooring_ring_options_t options = RingOptions();
  options.fixed_buffer_count = 16'384;
  const Ring large = CreateRing(options);
  EXPECT_EQ(Info(large).fixed_buffer_count, 1024u) << "the kernel's maximum (UIO_MAXIOV)";
  mooring_facts_t facts{};
  facts.struct_size = sizeof facts;
  ASSERT_OK(mooring_facts_get(&facts));
  EXPECT_NE(facts.features & MOORING_FEATURE_FIXED_BUFFERS, 0u);
  EXPECT_EQ(facts.features & (MOORING_FEATURE_BUFFER_UPDATE | MOORING_FEATURE_BUFFER_TAGS |
                              MOORING_FEATURE_SPARSE_TABLE | MOORING_FEATURE_CLONE_BUFFERS),
            0u);
}

}  // namespace
}  // namespace mooring::conformance
