// Imported: slabs over the memory of a descriptor. The tests use a memfd in place of a DMA-BUF:
// both are shared memory with a size and without a file on disk.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "testing/support/conformance_fixture.h"
#include "testing/support/kernel_probe.h"
#include "testing/support/mapped_memory.h"

namespace mooring::conformance {
namespace {

class Imported : public ConformanceTest {
 protected:
  static Fd Memfd(uint64_t size, unsigned flags = MFD_CLOEXEC) {
    Fd memfd(memfd_create("imported", flags));
    if (memfd.get() >= 0 && ftruncate(memfd.get(), static_cast<off_t>(size)) != 0) memfd.Close();
    return memfd;
  }
  static mooring_slab_options_t Buffers(uint64_t bytes = kBufferBytes, uint64_t count = 0) {
    mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
    options.buffer_bytes = bytes;
    options.buffer_count = count;
    return options;
  }
  static Slab Import(int fd, uint64_t offset = 0, uint64_t size = 0,
                     const mooring_slab_options_t& options = Buffers()) {
    mooring_slab_t* slab = nullptr;
    EXPECT_OK(mooring_slab_import(fd, offset, size, &options, &slab));
    return Slab(slab);
  }
  static mooring_error_t* Refuse(int fd, uint64_t offset, uint64_t size,
                                 const mooring_slab_options_t& options = Buffers()) {
    mooring_slab_t* slab = nullptr;
    mooring_error_t* error = mooring_slab_import(fd, offset, size, &options, &slab);
    EXPECT_EQ(slab, nullptr);
    return error;
  }
};

CONFORMANCE_TEST(Imported, ReadsWriteToTheImportedMemory, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(91, 0, 5000));
  Fd memfd = Memfd(kSlabBytes);
  ASSERT_GE(memfd.get(), 0);
  const MappedMemory other(kSlabBytes, {.fd = memfd.get()});
  Slab slab = Import(memfd.get());
  ASSERT_NE(slab, nullptr);
  memfd.Close();
  const mooring_slab_info_t info = Info(slab);
  EXPECT_EQ(info.total_bytes, kSlabBytes);
  EXPECT_EQ(info.buffer_count, kSlabBytes / kBufferBytes);
  EXPECT_EQ(info.adopted, 0u) << "the mapping belongs to Mooring";
  const Ring ring = CreateRing();
  const Registration registration = Register(ring, slab);
  const mooring_completion_t read =
      RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 100), 5000));
  EXPECT_EQ(read.result, 5000);
  EXPECT_EQ(read.path, PathOf(registration, 100, 5000));
  EXPECT_TRUE(HasPattern(other.data() + 100, 91, 0, 5000));
}

CONFORMANCE_TEST(Imported, IsFixedWhereTheKernelPinsItAndElseReportsTheReason, kPinned) {
  const Fd memfd = Memfd(kSlabBytes);
  ASSERT_GE(memfd.get(), 0);
  const Slab slab = Import(memfd.get());
  const int error = ProbePin(Data(slab), kSlabBytes);
  const Ring ring = CreateRing();
  const Registration registration = Register(ring, slab);
  const mooring_registration_info_t info = Info(registration);
  EXPECT_EQ(info.outcome, error == 0 ? MOORING_OUTCOME_FIXED : MOORING_OUTCOME_COPY)
      << info.message;
  EXPECT_EQ(info.reason, error == 0 ? MOORING_REASON_NONE : MOORING_REASON_BACKING_REFUSED);
}

CONFORMANCE_TEST(Imported, Rule1TheMemoryOutlivesTheKernelsUseOfIt, kAnywhere) {
  const Pipe pipe;
  const Fd memfd = Memfd(kSlabBytes);
  ASSERT_GE(memfd.get(), 0);
  const MappedMemory other(kSlabBytes, {.fd = memfd.get()});
  Slab slab = Import(memfd.get());
  std::byte* const data = Data(slab);
  const Ring ring = CreateRing();
  Registration registration = Register(ring, slab);
  Submit(ring, {ReadStream(pipe.read_fd(), InSlab(registration.get(), 0), 64)});
  registration.reset();
  slab.reset();
  const std::vector<std::byte> bytes = Pattern(92, 0, 64);
  pipe.Write(bytes.data(), bytes.size());
  EXPECT_EQ(Reap(ring, 1).front().result, 64);
  EXPECT_TRUE(HasPattern(other.data(), 92, 0, 64));
  ExpectUnmapped(data);
}

CONFORMANCE_TEST(Imported, APartStartsAtItsOffset, kAnywhere) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const Fd memfd = Memfd(8 * page);
  ASSERT_GE(memfd.get(), 0);
  const MappedMemory other(8 * page, {.fd = memfd.get()});
  FillPattern(other.data() + page, 93, 0, 2 * page);
  const Slab slab = Import(memfd.get(), page, 2 * page + 512, Buffers(512));
  EXPECT_EQ(Info(slab).total_bytes, 2 * page + 512);
  EXPECT_TRUE(HasPattern(Data(slab), 93, 0, 2 * page));
  const Slab rest = Import(memfd.get(), 3 * page, 0, Buffers(0));
  EXPECT_EQ(Info(rest).total_bytes, 5 * page);
  EXPECT_EQ(Info(rest).buffer_count, 1u);
}

CONFORMANCE_TEST(Imported, ReportsReservedHugePages, kPinned) {
  const Fd memfd = Memfd(2 << 20, MFD_CLOEXEC | MFD_HUGETLB);
  mooring_slab_t* raw = nullptr;
  const mooring_slab_options_t options = Buffers();
  mooring_error_t* error =
      memfd.get() < 0 ? nullptr : mooring_slab_import(memfd.get(), 0, 0, &options, &raw);
  const Slab slab(raw);
  mooring_error_destroy(error);
  SKIP_WITHOUT(slab != nullptr, "hugetlb", "sysctl vm.nr_hugepages=4");
  EXPECT_EQ(Info(slab).page_kind, MOORING_PAGE_KIND_HUGETLB);
}

CONFORMANCE_TEST(Imported, InvalidRangesAndOptionsAreRefused, kAnywhere) {
  const Fd memfd = Memfd(kSlabBytes);
  ASSERT_GE(memfd.get(), 0);
  const int fd = memfd.get();
  const uint32_t code = MOORING_CODE_INVALID_ARGUMENT;
  EXPECT_REFUSED(Refuse(987'654, 0, 0), code, "descriptor 987654");
  EXPECT_REFUSED(Refuse(-1, 0, 0), code, "descriptor -1");
  EXPECT_REFUSED(Refuse(fd, 100, 0), code, "not a multiple of the page size");
  EXPECT_REFUSED(Refuse(fd, 0, kSlabBytes + 1), code, "its size is");
  EXPECT_REFUSED(Refuse(fd, kSlabBytes, 0), code, "its size is");
  EXPECT_REFUSED(Refuse(fd, 0, 0, Buffers(kSlabBytes * 2)), code, "do not fit");
  EXPECT_REFUSED(Refuse(fd, 0, 0, Buffers(kBufferBytes, kSlabBytes)), code, "do not fit");
  mooring_slab_options_t touched = Buffers();
  touched.touch = MOORING_TOUCH_NONE;
  EXPECT_REFUSED(Refuse(fd, 0, 0, touched), code, "touch");
  const Fd empty = Memfd(0);
  EXPECT_REFUSED(Refuse(empty.get(), 0, 0), code, "its size is");
  EXPECT_REFUSED(mooring_slab_import(fd, 0, 0, nullptr, nullptr), code, "NULL");
}

CONFORMANCE_TEST(Imported, DescriptorsThatAreReadOnlyOrNotMemoryAreRefused, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(94, 0, kSlabBytes));
  const Fd read_only(
      open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
  EXPECT_REFUSED(Refuse(read_only.get(), 0, 0), MOORING_CODE_PERMISSION, "O_RDWR");
  const Pipe pipe;
  EXPECT_REFUSED(Refuse(pipe.read_fd(), 0, 4096), MOORING_CODE_UNSUPPORTED, "not memory");
}

}  // namespace
}  // namespace mooring::conformance
