// Whether each kernel pins memory backed by a file on ext4. The expected results are listed for
// each kernel and not probed. Up to 6.4, io_uring rejects the pages of every file (EOPNOTSUPP).
// Later kernels pin the private pages of a file and reject its shared pages (EFAULT), because ext4
// would write back pages that the device still changes. All kernels pin anonymous memory.
//
// MOORING_KERNEL is the label of the kernel. Without it, the test expects a kernel after 6.4.

#include <gtest/gtest.h>
#include <linux/magic.h>
#include <mooring/mooring.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "testing/support/errors.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/kernel_probe.h"
#include "testing/support/mapped_memory.h"
#include "testing/support/operations.h"
#include "testing/support/pattern.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kBytes = 1 << 20;
constexpr uint64_t kTransfer = 64 * 1024;

bool RejectsFiles() {
  const char* kernel = std::getenv("MOORING_KERNEL");
  const std::string label = kernel == nullptr ? "" : kernel;
  return label == "5.10" || label == "6.1";
}

class KernelBacking : public ::testing::Test {
 protected:
  // Registers [data, data + kBytes). Expects a fixed buffer when `error` is 0, and otherwise a copy
  // with that errno. Also expects that a read takes the path in the report.
  void ExpectRegistration(std::byte* data, int error) {
    EXPECT_EQ(ProbePin(data, kBytes), error);
    mooring_ring_t* new_ring = nullptr;
    ASSERT_OK(mooring_ring_create(nullptr, &new_ring));
    const Ring ring(new_ring);
    mooring_slab_t* new_slab = nullptr;
    ASSERT_OK(mooring_slab_adopt(data, kBytes, nullptr, &new_slab));
    const Slab slab(new_slab);
    mooring_registration_t* new_registration = nullptr;
    ASSERT_OK(mooring_registration_create(ring.get(), slab.get(), nullptr, &new_registration));
    const Registration registration(new_registration);

    mooring_registration_info_t info{};
    info.struct_size = sizeof info;
    ASSERT_OK(mooring_registration_get_info(new_registration, &info));
    EXPECT_EQ(info.outcome, error == 0 ? MOORING_OUTCOME_FIXED : MOORING_OUTCOME_COPY)
        << info.message;
    EXPECT_EQ(info.reason, error == 0 ? MOORING_REASON_NONE : MOORING_REASON_BACKING_REFUSED)
        << info.message;
    EXPECT_EQ(info.system_error, error);

    const Fd file = dir_.Create("data", Pattern(61, 0, kTransfer));
    const mooring_op_t read = Read(file.get(), 0, InSlab(new_registration, 512), kTransfer);
    mooring_completion_t completion{};
    uint32_t accepted = 0;
    uint32_t reaped = 0;
    ASSERT_OK(mooring_ring_submit_and_reap(ring.get(), &read, 1, &accepted, &completion, 1, 1,
                                           kPatienceNs, &reaped));
    ASSERT_EQ(reaped, 1u);
    EXPECT_EQ(completion.result, static_cast<int64_t>(kTransfer));
    EXPECT_EQ(completion.path, error == 0 ? MOORING_PATH_FIXED : MOORING_PATH_COPY);
    EXPECT_TRUE(HasPattern(data + 512, 61, 0, kTransfer));
  }

  // Returns a file of kBytes. Fails where the file system is not ext4, which this test is about.
  Fd BackingFile() const {
    Fd file = dir_.Create("backing");
    struct statfs status {};
    EXPECT_EQ(fstatfs(file.get(), &status), 0);
    EXPECT_EQ(status.f_type, EXT4_SUPER_MAGIC) << "TEST_TMPDIR is not on ext4";
    EXPECT_EQ(ftruncate(file.get(), kBytes), 0);
    return file;
  }

  const TempDir dir_;
};

TEST_F(KernelBacking, AnonymousMemoryIsFixedOnEveryKernel) {
  const MappedMemory memory(kBytes);
  ExpectRegistration(memory.data(), 0);
}

TEST_F(KernelBacking, Rule5SharedFilePagesAreCopiedOnEveryKernel) {
  const Fd backing = BackingFile();
  const MappedMemory memory(kBytes, {.fd = backing.get()});
  ExpectRegistration(memory.data(), RejectsFiles() ? EOPNOTSUPP : EFAULT);
}

TEST_F(KernelBacking, Rule5PrivateFilePagesAreCopiedUpTo6_4AndFixedLater) {
  const Fd backing = BackingFile();
  void* data = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, backing.get(), 0);
  ASSERT_NE(data, MAP_FAILED);
  ExpectRegistration(static_cast<std::byte*>(data), RejectsFiles() ? EOPNOTSUPP : 0);
  munmap(data, kBytes);
}

}  // namespace
}  // namespace mooring::conformance
