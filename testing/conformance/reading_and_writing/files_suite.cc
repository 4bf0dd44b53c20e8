// Files: the operations without slab memory: open, close, fsync, fallocate, statx.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class Files : public DataTest {
 protected:
  const TempDir dir_;
};

CONFORMANCE_TEST(Files, OpenWriteSyncStatAndClose, kAnywhere) {
  const std::string path = dir_.Path("made");
  const mooring_completion_t opened =
      RunOne(ring_, OpenAt(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  ASSERT_GE(opened.result, 0);
  EXPECT_EQ(opened.path, MOORING_PATH_NONE);
  const int fd = static_cast<int>(opened.result);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);

  FillPattern(data(), 61, 0, kBufferBytes);
  struct statx status {};
  const auto completions =
      Run(ring_, {WithFlags(Write(fd, 0, At(0), kBufferBytes), MOORING_OPERATION_LINK),
                  WithFlags(Fsync(fd), MOORING_OPERATION_LINK),
                  Statx(AT_FDCWD, path.c_str(), 0, STATX_SIZE | STATX_MODE, &status)});
  EXPECT_EQ(completions[0].result, static_cast<int64_t>(kBufferBytes));
  EXPECT_EQ(completions[1].result, 0);
  EXPECT_EQ(completions[2].result, 0);
  EXPECT_EQ(completions[2].path, MOORING_PATH_NONE);
  EXPECT_EQ(status.stx_size, kBufferBytes);
  EXPECT_EQ(status.stx_mode & 0777, 0640);
  EXPECT_TRUE(HasPattern(Contents(fd).data(), 61, 0, kBufferBytes));

  EXPECT_EQ(RunOne(ring_, Close(fd)).result, 0);
  EXPECT_EQ(fcntl(fd, F_GETFD), -1) << "the descriptor is still open";
  EXPECT_EQ(RunOne(ring_, OpenAt(AT_FDCWD, path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600)).result,
            -EEXIST);
}

CONFORMANCE_TEST(Files, OpensRelativeToADirectory, kAnywhere) {
  dir_.Create("there", Pattern(62, 0, 100));
  const Fd directory(open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const mooring_completion_t opened =
      RunOne(ring_, OpenAt(directory.get(), "there", O_RDONLY | O_CLOEXEC));
  ASSERT_GE(opened.result, 0);
  const Fd file(static_cast<int>(opened.result));
  EXPECT_EQ(RunOne(ring_, Read(file.get(), 0, At(0), 100)).result, 100);
  EXPECT_TRUE(HasPattern(data(), 62, 0, 100));
  EXPECT_EQ(RunOne(ring_, OpenAt(directory.get(), "not there", O_RDONLY)).result, -ENOENT);
}

CONFORMANCE_TEST(Files, StatxOfAMissingFileFails, kAnywhere) {
  struct statx status {};
  const std::string path = dir_.Path("nothing");
  EXPECT_EQ(RunOne(ring_, Statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &status)).result,
            -ENOENT);
}

CONFORMANCE_TEST(Files, AllocatesSpace, kAnywhere) {
  const Fd file = dir_.Create("file");
  const mooring_completion_t allocated = RunOne(ring_, Fallocate(file.get(), 4096, 3 * 4096));
  if (allocated.result == -EOPNOTSUPP)
    SKIP_WITHOUT(false, "fallocate", "the file system does not support fallocate(2)");
  EXPECT_EQ(allocated.result, 0);
  EXPECT_EQ(allocated.path, MOORING_PATH_NONE);
  EXPECT_EQ(FileSize(file.get()), 4u * 4096);
  EXPECT_EQ(RunOne(ring_, Fallocate(file.get(), 0, uint64_t{1} << 16, FALLOC_FL_KEEP_SIZE)).result,
            0);
  EXPECT_EQ(FileSize(file.get()), 4u * 4096);
}

CONFORMANCE_TEST(Files, SyncsDataOnlyOrTheWholeFile, kAnywhere) {
  const Fd file = dir_.Create("file", Pattern(63, 0, 4096));
  const auto completions =
      Run(ring_, {Fsync(file.get()), Fsync(file.get(), MOORING_FSYNC_DATA_ONLY)});
  EXPECT_EQ(completions[0].result, 0);
  EXPECT_EQ(completions[1].result, 0);
  const Pipe pipe;
  EXPECT_EQ(RunOne(ring_, Fsync(pipe.write_fd())).result, -EINVAL)
      << "a pipe cannot be synced (fsync(2))";
}

CONFORMANCE_TEST(Files, NopsMoveNothing, kAnywhere) {
  const mooring_completion_t nop = RunOne(ring_, Nop());
  EXPECT_EQ(nop.result, 0);
  EXPECT_EQ(nop.flags, 0u);
  EXPECT_EQ(nop.path, MOORING_PATH_NONE);
  EXPECT_EQ(nop.lease_first_index, 0u);
  EXPECT_EQ(nop.lease_generation, 0u);
}

class FixedFiles : public ConformanceTest {
 protected:
  void SetUp() override {
    mooring_ring_options_t options = RingOptions();
    options.fixed_file_count = kSlots;
    ring_ = CreateRing(options);
    slab_ = CreateSlab();
    ASSERT_NE(ring_, nullptr);
    registration_ = Register(ring_, slab_);
    ASSERT_EQ(Info(ring_).fixed_file_count, kSlots);
  }

  mooring_op_t ReadSlot(int slot, uint64_t size) {
    return WithFlags(Read(slot, 0, InSlab(registration_.get(), 0), size),
                     MOORING_OPERATION_FIXED_FILE);
  }

  static constexpr uint32_t kSlots = 8;
  const TempDir dir_;
  Ring ring_;
  Slab slab_;
  Registration registration_;
};

CONFORMANCE_TEST(FixedFiles, AreReadBySlotAfterTheDescriptorIsClosed, kAnywhere) {
  Fd file = dir_.Create("data", Pattern(64, 0, 4096));
  ASSERT_OK(mooring_ring_set_file(ring_.get(), 5, file.get()));
  file.Close();
  const mooring_completion_t read = RunOne(ring_, ReadSlot(5, 4096));
  EXPECT_EQ(read.result, 4096);
  EXPECT_EQ(read.path, PathOf(registration_, 0, 4096));
  EXPECT_TRUE(HasPattern(Data(slab_), 64, 0, 4096));
}

CONFORMANCE_TEST(FixedFiles, EmptySlotsHaveNoFile, kAnywhere) {
  EXPECT_EQ(RunOne(ring_, ReadSlot(3, 512)).result, -EBADF);
  const Fd file = dir_.Create("data", Pattern(65, 0, 512));
  ASSERT_OK(mooring_ring_set_file(ring_.get(), 3, file.get()));
  EXPECT_EQ(RunOne(ring_, ReadSlot(3, 512)).result, 512);
  ASSERT_OK(mooring_ring_set_file(ring_.get(), 3, -1));
  EXPECT_EQ(RunOne(ring_, ReadSlot(3, 512)).result, -EBADF);
}

CONFORMANCE_TEST(FixedFiles, CloseEmptiesASlot, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(66, 0, 512));
  ASSERT_OK(mooring_ring_set_file(ring_.get(), 2, file.get()));
  EXPECT_EQ(RunOne(ring_, WithFlags(Close(2), MOORING_OPERATION_FIXED_FILE)).result, 0);
  EXPECT_EQ(RunOne(ring_, ReadSlot(2, 512)).result, -EBADF);
  EXPECT_EQ(RunOne(ring_, WithFlags(Close(2), MOORING_OPERATION_FIXED_FILE)).result, -EBADF);
  EXPECT_NE(fcntl(file.get(), F_GETFD), -1)
      << "CLOSE of a slot must not close the caller's descriptor";
}

CONFORMANCE_TEST(FixedFiles, CanBeReplacedWithAnOperationInFlight, kAnywhere) {
  const Pipe first;
  const Pipe second;
  ASSERT_OK(mooring_ring_set_file(ring_.get(), 1, first.read_fd()));
  Submit(ring_, {WithUserData(WithFlags(ReadStream(1, InSlab(registration_.get(), 0), 512),
                                        MOORING_OPERATION_FIXED_FILE),
                              1)});
  ASSERT_OK(mooring_ring_set_file(ring_.get(), 1, second.read_fd()));
  Submit(ring_, {WithUserData(WithFlags(ReadStream(1, InSlab(registration_.get(), 512), 512),
                                        MOORING_OPERATION_FIXED_FILE),
                              2)});
  second.Write("22", 2);
  const mooring_completion_t later = Reap(ring_, 1).front();
  EXPECT_EQ(later.user_data, 2u);
  EXPECT_EQ(later.result, 2);
  first.Write("1", 1);
  const mooring_completion_t earlier = Reap(ring_, 1).front();
  EXPECT_EQ(earlier.user_data, 1u);
  EXPECT_EQ(earlier.result, 1);
}

CONFORMANCE_TEST(FixedFiles, RefuseInvalidSlotsAndDescriptors, kAnywhere) {
  const Fd file = dir_.Create("data");
  EXPECT_REFUSED(mooring_ring_set_file(ring_.get(), kSlots, file.get()),
                 MOORING_CODE_INVALID_ARGUMENT, "index");
  constexpr int kNotOpen = 987'654;
  EXPECT_REFUSED(mooring_ring_set_file(ring_.get(), 0, kNotOpen), MOORING_CODE_INVALID_ARGUMENT,
                 "987654");
  const Ring without = CreateRing();
  EXPECT_REFUSED(mooring_ring_set_file(without.get(), 0, file.get()), MOORING_CODE_INVALID_ARGUMENT,
                 "fixed_file_count");
}

}  // namespace
}  // namespace mooring::conformance
