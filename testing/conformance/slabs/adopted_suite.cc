// AdoptedSlabs: memory that stays the caller's. Close returns when the caller may use it again.

#include <sys/mman.h>

#include <memory>

#include "testing/support/conformance_fixture.h"
#include "testing/support/mapped_memory.h"

namespace mooring::conformance {
namespace {

class AdoptedSlabs : public ConformanceTest {
 protected:
  static mooring_error_t* TryAdopt(void* data, uint64_t size,
                                   const mooring_slab_options_t& options) {
    mooring_slab_t* slab = nullptr;
    mooring_error_t* error = mooring_slab_adopt(data, size, &options, &slab);
    EXPECT_TRUE(error == nullptr || slab == nullptr) << "an error and a slab";
    mooring_slab_destroy(slab);
    return error;
  }

  static mooring_slab_options_t Plain(uint64_t buffer_bytes = 0, uint64_t buffer_count = 0) {
    mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
    options.buffer_bytes = buffer_bytes;
    options.buffer_count = buffer_count;
    return options;
  }

  MappedMemory memory_{kSlabBytes};
};

CONFORMANCE_TEST(AdoptedSlabs, UseTheCallersMemory, kAnywhere) {
  FillPattern(memory_.data(), 5, 0, kSlabBytes);
  const Slab slab = Adopt(memory_.data(), kSlabBytes, kBufferBytes);
  ASSERT_NE(slab, nullptr);
  EXPECT_EQ(Info(slab).adopted, 1u);
  EXPECT_EQ(Info(slab).data, memory_.data());
  EXPECT_EQ(Info(slab).buffer_count, kBufferCount);
  EXPECT_TRUE(HasPattern(Data(slab), 5, 0, kSlabBytes)) << "adoption must not write";
}

CONFORMANCE_TEST(AdoptedSlabs, HaveOneBufferByDefault, kAnywhere) {
  const Slab slab = Adopt(memory_.data(), kSlabBytes);
  ASSERT_NE(slab, nullptr);
  EXPECT_EQ(Info(slab).buffer_count, 1u);
  EXPECT_EQ(Info(slab).buffer_bytes, kSlabBytes);
}

CONFORMANCE_TEST(AdoptedSlabs, LeaveOutAnIncompleteLastBuffer, kAnywhere) {
  const Slab slab = Adopt(memory_.data(), kBufferBytes * 3 + 4096, kBufferBytes);
  ASSERT_NE(slab, nullptr);
  EXPECT_EQ(Info(slab).buffer_count, 3u);
  EXPECT_EQ(Info(slab).total_bytes, 3 * kBufferBytes);
}

CONFORMANCE_TEST(AdoptedSlabs, CarryOperations, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(6, 0, kBufferBytes));
  const Ring ring = CreateRing();
  const Slab slab = Adopt(memory_.data(), kSlabBytes, kBufferBytes);
  const Registration registration = Register(ring, slab);
  ASSERT_NE(registration, nullptr);
  EXPECT_EQ(Info(registration).outcome, CurrentExpectation().outcome) << Info(registration).message;
  const mooring_completion_t read =
      RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 512), kBufferBytes));
  EXPECT_EQ(read.result, static_cast<int64_t>(kBufferBytes));
  EXPECT_EQ(read.path, PathOf(registration, 512, kBufferBytes));
  EXPECT_TRUE(HasPattern(static_cast<std::byte*>(memory_.data()) + 512, 6, 0, kBufferBytes));
}

CONFORMANCE_TEST(AdoptedSlabs, AreNotUnmapped, kAnywhere) {
  Adopt(memory_.data(), kSlabBytes).reset();
  FillPattern(memory_.data(), 7, 0, kSlabBytes);
  EXPECT_TRUE(HasPattern(memory_.data(), 7, 0, kSlabBytes));
}

CONFORMANCE_TEST(AdoptedSlabs, RefuseOptionsOfCreateOnly, kAnywhere) {
  mooring_slab_options_t options = Plain();
  options.huge_pages = MOORING_HUGE_PAGES_REQUIRE;
  EXPECT_REFUSED(TryAdopt(memory_.data(), kSlabBytes, options), MOORING_CODE_INVALID_ARGUMENT,
                 "huge_pages");
  options = Plain();
  options.numa_policy = MOORING_NUMA_POLICY_BIND;
  EXPECT_REFUSED(TryAdopt(memory_.data(), kSlabBytes, options), MOORING_CODE_INVALID_ARGUMENT,
                 "numa_policy");
}

CONFORMANCE_TEST(AdoptedSlabs, RefuseInvalidRanges, kAnywhere) {
  EXPECT_REFUSED(TryAdopt(nullptr, kSlabBytes, Plain()), MOORING_CODE_INVALID_ARGUMENT, "NULL");
  EXPECT_REFUSED(TryAdopt(memory_.data(), 0, Plain()), MOORING_CODE_INVALID_ARGUMENT);
  EXPECT_REFUSED(TryAdopt(memory_.data(), UINT64_MAX - 511, Plain(512)),
                 MOORING_CODE_INVALID_ARGUMENT);
  EXPECT_REFUSED(TryAdopt(memory_.data(), 4096, Plain(8192)), MOORING_CODE_INVALID_ARGUMENT);
  EXPECT_REFUSED(TryAdopt(memory_.data(), 8192, Plain(4096, 3)), MOORING_CODE_INVALID_ARGUMENT,
                 "3 buffers");
}

class ClosingSlabs : public ConformanceTest {};

CONFORMANCE_TEST(ClosingSlabs, WaitsForRegistrations, kAnywhere) {
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  EXPECT_GE(Info(slab).kernel_reference_count, 1u);
  EXPECT_REFUSED(mooring_slab_close(slab.get(), kQuietNs), MOORING_CODE_TIMEOUT, "registration");

  // A close that timed out does not change the slab.
  const mooring_lease_t lease = Acquire(slab);
  EXPECT_OK(mooring_slab_release(slab.get(), lease));

  registration.reset();
  EXPECT_OK(mooring_slab_close(slab.get(), kPatienceNs));
  EXPECT_EQ(Info(slab).kernel_reference_count, 0u);
}

CONFORMANCE_TEST(ClosingSlabs, WaitsForOperations, kAnywhere) {
  const Pipe pipe;
  const Ring ring = CreateRing();
  const Slab slab = CreateSlab();
  Registration registration = Register(ring, slab);
  Submit(ring, {ReadStream(pipe.read_fd(), InSlab(registration.get(), 0), 512)});
  registration.reset();
  EXPECT_REFUSED(mooring_slab_close(slab.get(), kQuietNs), MOORING_CODE_TIMEOUT, "operation");

  const std::vector<std::byte> sent = Pattern(8, 0, 512);
  pipe.Write(sent.data(), sent.size());
  EXPECT_EQ(Reap(ring, 1).front().result, 512);
  EXPECT_TRUE(HasPattern(Data(slab), 8, 0, 512));
  EXPECT_OK(mooring_slab_close(slab.get(), kPatienceNs));
}

CONFORMANCE_TEST(ClosingSlabs, RefusesLeasesAfterwards, kAnywhere) {
  const Slab slab = CreateSlab();
  ASSERT_OK(mooring_slab_close(slab.get(), 0));
  mooring_lease_t lease;
  EXPECT_REFUSED(mooring_slab_acquire(slab.get(), 1, &lease), MOORING_CODE_INVALID_STATE, "closed");
  EXPECT_OK(mooring_slab_close(slab.get(), 0));
}

CONFORMANCE_TEST(ClosingSlabs, RefusesANegativeTimeout, kAnywhere) {
  const Slab slab = CreateSlab();
  EXPECT_REFUSED(mooring_slab_close(slab.get(), -1), MOORING_CODE_INVALID_ARGUMENT, "timeout_ns");
}

}  // namespace
}  // namespace mooring::conformance
