// AdoptedBacking: every kind of memory that a caller may adopt. Each takes the fixed path where the
// kernel pins it, otherwise the copy path with a reason and a remedy. ProbePin asks the kernel for
// the expected outcome. Where all kernels with fixed buffers behave the same, the test asserts that
// too.

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/kernel_probe.h"

namespace mooring::conformance {
namespace {

constexpr int kAsProbed = -1;
constexpr uint64_t kTransfer = 4096 + 512;

// A static array shares its first or last page with other data, possibly a file's.
std::byte static_memory[kSlabBytes];

class Mapping {
 public:
  Mapping(uint64_t size, int protection, int flags, int fd = -1)
      : data_(mmap(nullptr, size, protection, flags, fd, 0)), size_(size) {}
  ~Mapping() {
    if (valid()) munmap(data_, size_);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  bool valid() const { return data_ != MAP_FAILED; }
  std::byte* data() const { return static_cast<std::byte*>(data_); }

 private:
  void* const data_;
  const uint64_t size_;
};

class AdoptedBacking : public ConformanceTest {
 protected:
  static constexpr int kReadWrite = PROT_READ | PROT_WRITE;

  // `expected`: 0, or the errno that every kernel returns, or kAsProbed. `is_writable`: for
  // the caller, and therefore for the copy path.
  void Expect(std::byte* data, int expected, bool is_writable = true) {
    const int error = ProbePin(data, kSlabBytes);
    if (expected != kAsProbed) {
      ASSERT_EQ(error, expected);
    }
    const Ring ring = CreateRing();
    const Slab slab = Adopt(data, kSlabBytes, kBufferBytes);
    ASSERT_NE(slab, nullptr);
    Registration registration = Register(ring, slab);
    ASSERT_NE(registration, nullptr);
    const mooring_registration_info_t info = Info(registration);
    if (error == 0) {
      EXPECT_EQ(info.outcome, MOORING_OUTCOME_FIXED) << info.message;
      EXPECT_EQ(info.bytes_fixed, kSlabBytes);
      EXPECT_EQ(Extent(registration, 0).source, MOORING_SOURCE_PINNED);
    } else {
      EXPECT_EQ(info.outcome, MOORING_OUTCOME_COPY);
      EXPECT_EQ(info.reason, MOORING_REASON_BACKING_REFUSED) << info.message;
      EXPECT_EQ(info.system_error, error);
      EXPECT_TRUE(ContainsIgnoringCase(info.message, "does not pin this memory")) << info.message;
      EXPECT_TRUE(ContainsIgnoringCase(info.remedy, "adopt anonymous memory")) << info.remedy;
      EXPECT_EQ(Extent(registration, 0).source, MOORING_SOURCE_NONE);
    }
    ExpectRead(ring, registration, data, is_writable);
    registration.reset();
    EXPECT_OK(mooring_slab_close(slab.get(), kPatienceNs));
  }

  // Reads to an unaligned address in the middle. The caller must see the bytes at that address.
  void ExpectRead(const Ring& ring, const Registration& registration, std::byte* data,
                  bool is_writable) {
    constexpr uint64_t kOffset = kBufferBytes + 40;
    const bool is_fixed = Info(registration).outcome == MOORING_OUTCOME_FIXED;
    const mooring_completion_t read =
        RunOne(ring, Read(file_.get(), 0, InSlab(registration.get(), kOffset), kTransfer));
    EXPECT_EQ(read.path, is_fixed ? MOORING_PATH_FIXED : MOORING_PATH_COPY);
    if (!is_writable) {
      EXPECT_EQ(read.result, -EFAULT);
      return;
    }
    EXPECT_EQ(read.result, static_cast<int64_t>(kTransfer));
    EXPECT_TRUE(HasPattern(data + kOffset, 51, 0, kTransfer));
  }

  const TempDir dir_;
  const Fd file_ = dir_.Create("data", Pattern(51, 0, kTransfer));
};

CONFORMANCE_TEST(AdoptedBacking, AnonymousMemoryIsFixed, kPinned) {
  const Mapping memory(kSlabBytes, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS);
  ASSERT_TRUE(memory.valid());
  Expect(memory.data(), 0);
}

CONFORMANCE_TEST(AdoptedBacking, AnonymousMemoryWithoutReserveIsFixed, kPinned) {
  const Mapping memory(kSlabBytes, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE);
  ASSERT_TRUE(memory.valid());
  Expect(memory.data(), 0);
}

CONFORMANCE_TEST(AdoptedBacking, UnalignedHeapMemoryIsFixed, kPinned) {
  const std::unique_ptr<void, decltype(&std::free)> memory(std::malloc(kSlabBytes + 64),
                                                           &std::free);
  ASSERT_NE(memory, nullptr);
  Expect(static_cast<std::byte*>(memory.get()) + 24, 0);
}

CONFORMANCE_TEST(AdoptedBacking, StaticMemoryIsFixedWhereTheKernelPinsIt, kPinned) {
  Expect(static_memory, kAsProbed);
}

CONFORMANCE_TEST(AdoptedBacking, SharedAnonymousMemoryIsFixedWhereTheKernelPinsIt, kPinned) {
  const Mapping memory(kSlabBytes, kReadWrite, MAP_SHARED | MAP_ANONYMOUS);
  ASSERT_TRUE(memory.valid());
  Expect(memory.data(), kAsProbed);
}

CONFORMANCE_TEST(AdoptedBacking, AMemfdIsFixedWhereTheKernelPinsIt, kPinned) {
  const Fd memfd(memfd_create("adopted", MFD_CLOEXEC));
  ASSERT_GE(memfd.get(), 0);
  ASSERT_EQ(ftruncate(memfd.get(), kSlabBytes), 0);
  for (const int sharing : {MAP_SHARED, MAP_PRIVATE}) {
    SCOPED_TRACE(sharing == MAP_SHARED ? "shared" : "private");
    const Mapping memory(kSlabBytes, kReadWrite, sharing, memfd.get());
    ASSERT_TRUE(memory.valid());
    Expect(memory.data(), kAsProbed);
  }
}

CONFORMANCE_TEST(AdoptedBacking, ReservedHugePagesAreFixed, kPinned) {
  const Mapping memory(kSlabBytes, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB);
  SKIP_WITHOUT(memory.valid(), "hugetlb", "sysctl vm.nr_hugepages=4");
  Expect(memory.data(), 0);
}

CONFORMANCE_TEST(AdoptedBacking, PrivatePagesOfAFileAreFixedWhereTheKernelPinsThem, kPinned) {
  const std::vector<std::byte> before = Pattern(52, 0, kSlabBytes);
  const Fd backing = dir_.Create("backing", before);
  const Mapping memory(kSlabBytes, kReadWrite, MAP_PRIVATE, backing.get());
  ASSERT_TRUE(memory.valid());
  Expect(memory.data(), kAsProbed);
  EXPECT_EQ(Contents(backing.get()), before) << "a read to private pages changed the file";
}

CONFORMANCE_TEST(AdoptedBacking, SharedPagesOfAFileAreFixedWhereTheKernelPinsThem, kPinned) {
  const Fd backing = dir_.Create("backing");
  ASSERT_EQ(ftruncate(backing.get(), kSlabBytes), 0);
  const Mapping memory(kSlabBytes, kReadWrite, MAP_SHARED, backing.get());
  ASSERT_TRUE(memory.valid());
  Expect(memory.data(), kAsProbed);
  const std::vector<std::byte> after = Contents(backing.get());
  ASSERT_EQ(after.size(), kSlabBytes);
  EXPECT_TRUE(HasPattern(after.data() + kBufferBytes + 40, 51, 0, kTransfer));
}

CONFORMANCE_TEST(AdoptedBacking, ReadOnlyMemoryIsRefused, kPinned) {
  const Mapping memory(kSlabBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS);
  ASSERT_TRUE(memory.valid());
  Expect(memory.data(), EFAULT, false);
}

CONFORMANCE_TEST(AdoptedBacking, MemoryWithoutAccessIsRefused, kPinned) {
  const Mapping memory(kSlabBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
  ASSERT_TRUE(memory.valid());
  Expect(memory.data(), EFAULT, false);
}

CONFORMANCE_TEST(AdoptedBacking, ARangeWithAHoleIsRefused, kPinned) {
  const Mapping memory(kSlabBytes, kReadWrite, MAP_PRIVATE | MAP_ANONYMOUS);
  ASSERT_TRUE(memory.valid());
  // Without access instead of unmapped, so that no other mapping can take the place.
  ASSERT_EQ(mprotect(memory.data() + kSlabBytes / 2, 4096, PROT_NONE), 0);
  Expect(memory.data(), EFAULT);
}

// Memory that the kernel rejects now and pins later: promote tries again.
CONFORMANCE_TEST(AdoptedBacking, MemoryThatBecomesWritableIsFixedByAPromote, kPinned) {
  const Mapping memory(kSlabBytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS);
  ASSERT_TRUE(memory.valid());
  const Ring ring = CreateRing();
  const Slab slab = Adopt(memory.data(), kSlabBytes, kBufferBytes);
  const Registration registration = Register(ring, slab);
  ASSERT_EQ(Info(registration).reason, MOORING_REASON_BACKING_REFUSED);
  ASSERT_EQ(mprotect(memory.data(), kSlabBytes, kReadWrite), 0);
  ASSERT_OK(mooring_registration_promote(registration.get()));
  EXPECT_EQ(Info(registration).outcome, MOORING_OUTCOME_FIXED) << Info(registration).message;
  ExpectRead(ring, registration, memory.data(), true);
}

}  // namespace
}  // namespace mooring::conformance
