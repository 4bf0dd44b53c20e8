// Backing: operations also read into and write from memory that the kernel does not pin.

#include <cerrno>
#include <string>

#include "testing/support/conformance_fixture.h"
#include "testing/support/kernel_probe.h"
#include "testing/support/mapped_memory.h"

namespace mooring::conformance {
namespace {

class Backing : public ConformanceTest {
 protected:
  // Checks that the report is BACKING_REFUSED and that REQUIRE fails with the same text.
  void ExpectRefused(const Ring& ring, const Slab& slab, const Registration& registration) {
    const mooring_registration_info_t info = Info(registration);
    EXPECT_EQ(info.outcome, MOORING_OUTCOME_COPY);
    EXPECT_EQ(info.reason, MOORING_REASON_BACKING_REFUSED) << info.message;
    EXPECT_TRUE(info.system_error == EFAULT || info.system_error == EOPNOTSUPP ||
                info.system_error == EINVAL)
        << info.system_error;
    EXPECT_STRNE(info.message, "");
    EXPECT_STRNE(info.remedy, "");

    const mooring_registration_options_t options = RegistrationOptions(MOORING_POLICY_REQUIRE);
    mooring_registration_t* required = nullptr;
    const Failure failure =
        Take(mooring_registration_create(ring.get(), slab.get(), &options, &required));
    EXPECT_EQ(failure.code, MOORING_CODE_UNSUPPORTED) << failure.ToString();
    EXPECT_EQ(failure.message, info.message);
    EXPECT_EQ(failure.remedy, info.remedy);
    EXPECT_EQ(required, nullptr);
  }

  const TempDir dir_;
};

CONFORMANCE_TEST(Backing, Rule5SharedPagesOfAFileAreRefusedAndCopied, kPinned) {
  const Fd backing = dir_.Create("backing");
  const MappedMemory memory(kSlabBytes, {.fd = backing.get()});
  SKIP_WITHOUT(ProbePin(memory.data(), kSlabBytes) != 0, "unpinnable_file",
               "point TEST_TMPDIR at a disk's file system: the kernel pins tmpfs");
  const Ring ring = CreateRing();
  const Slab slab = Adopt(memory.data(), kSlabBytes, kBufferBytes);
  const Registration registration = Register(ring, slab);
  ASSERT_NE(registration, nullptr);
  ExpectRefused(ring, slab, registration);

  const Fd file = dir_.Create("data", Pattern(31, 0, kBufferBytes));
  const Fd copy = dir_.Create("copy");
  const Place place = InSlab(registration.get(), kBufferBytes);
  const auto completions =
      Run(ring, {WithFlags(Read(file.get(), 0, place, kBufferBytes), MOORING_OPERATION_LINK),
                 Write(copy.get(), 0, place, kBufferBytes)});
  for (const mooring_completion_t& completion : completions) {
    EXPECT_EQ(completion.result, static_cast<int64_t>(kBufferBytes));
    EXPECT_EQ(completion.path, MOORING_PATH_COPY);
  }
  EXPECT_TRUE(HasPattern(memory.data() + kBufferBytes, 31, 0, kBufferBytes));
  EXPECT_TRUE(HasPattern(Contents(copy.get()).data(), 31, 0, kBufferBytes));
}

CONFORMANCE_TEST(Backing, Rule5ReadOnlyMemoryIsRefusedAndCanBeWrittenFrom, kPinned) {
  const MappedMemory memory(kSlabBytes, {.read_only = true});
  const Ring ring = CreateRing();
  const Slab slab = Adopt(memory.data(), kSlabBytes, kBufferBytes);
  const Registration registration = Register(ring, slab);
  ASSERT_NE(registration, nullptr);
  ExpectRefused(ring, slab, registration);

  const Fd file = dir_.Create("data", Pattern(32, 0, 4096));
  EXPECT_EQ(RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 0), 4096)).result, -EFAULT);
  const mooring_completion_t write =
      RunOne(ring, Write(file.get(), 0, InSlab(registration.get(), 0), 4096));
  EXPECT_EQ(write.result, 4096);
  EXPECT_EQ(write.path, MOORING_PATH_COPY);
  EXPECT_TRUE(IsAll(Contents(file.get()).data(), std::byte{0}, 4096));
}

CONFORMANCE_TEST(Backing, AnonymousMemoryContiguousWithAFilesIsPinnedAloneOrCopied, kPinned) {
  // One slab over two kinds of backing: the part that the kernel rejects must not affect the other
  // part.
  const Fd backing = dir_.Create("backing");
  const MappedMemory whole(kSlabBytes);
  SKIP_WITHOUT(MapOver(whole.data() + kSlabBytes / 2, kSlabBytes / 2, backing.get()), "map_fixed",
               "mmap failed");
  const Ring ring = CreateRing();
  const Slab slab = Adopt(whole.data(), kSlabBytes, kBufferBytes);
  const Registration registration = Register(ring, slab);
  ASSERT_NE(registration, nullptr);

  const Fd file = dir_.Create("data", Pattern(33, 0, kBufferBytes));
  for (uint64_t offset : {uint64_t{0}, kSlabBytes / 2 - 4096, kSlabBytes - kBufferBytes}) {
    SCOPED_TRACE("offset " + std::to_string(offset));
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), offset), kBufferBytes));
    EXPECT_EQ(read.result, static_cast<int64_t>(kBufferBytes));
    EXPECT_EQ(read.path, PathOf(registration, offset, kBufferBytes));
    EXPECT_TRUE(HasPattern(whole.data() + offset, 33, 0, kBufferBytes));
  }
}

}  // namespace
}  // namespace mooring::conformance
