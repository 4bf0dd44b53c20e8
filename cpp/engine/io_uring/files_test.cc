// File operations other than reads and writes, and the file table.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include <cerrno>
#include <vector>

#include "cpp/engine/testing/engine_test_support.h"

namespace mooring {
namespace {

class IoUringFilesTest : public ::testing::TestWithParam<Mode> {
 protected:
  void SetUp() override {
    SKIP_UNLESS(HasUring(), "io_uring");
    EngineOptions options = OptionsOf(GetParam());
    options.fixed_file_count = 4;
    engine_ = MakeUring(options);
    ASSERT_NE(engine_, nullptr);
  }
  Values One(const Request& request) { return Results(*engine_, {request}); }

  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Modes, IoUringFilesTest,
                         ::testing::Values(Mode::kAnyThread, Mode::kOwner, Mode::kSqpoll),
                         ModeName);

TEST_P(IoUringFilesTest, FsyncSucceedsOnAFileAndFailsOnAPipe) {
  const TempFile file(Bytes(10));
  const Pipe pipe;
  EXPECT_EQ(One({.opcode = Opcode::kFsync, .fd = file.fd()}), Values({0}));
  EXPECT_EQ(One({.opcode = Opcode::kFsync, .fd = file.fd(), .parameter = 1}), Values({0}));
  EXPECT_EQ(One({.opcode = Opcode::kFsync, .fd = pipe.write_end.get()}), Values({-EINVAL}));
}

TEST_P(IoUringFilesTest, FallocateTakesOffsetLengthAndMode) {
  const TempFile file(Bytes(10));
  struct stat status;
  EXPECT_EQ(
      One({.opcode = Opcode::kFallocate, .fd = file.fd(), .file_offset = 4096, .size64 = 8192}),
      Values({0}));
  ASSERT_EQ(fstat(file.fd(), &status), 0);
  EXPECT_EQ(status.st_size, 4096 + 8192);
  EXPECT_EQ(One({.opcode = Opcode::kFallocate,
                 .fd = file.fd(),
                 .file_offset = 0,
                 .size64 = 1 << 20,
                 .parameter = FALLOC_FL_KEEP_SIZE}),
            Values({0}));
  ASSERT_EQ(fstat(file.fd(), &status), 0);
  EXPECT_EQ(status.st_size, 4096 + 8192);
}

TEST_P(IoUringFilesTest, OpenatUsesTheFlagsAndTheMode) {
  const TempFile beside;
  std::string path = beside.path() + "_new";
  const uint64_t parameter = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | (uint64_t{0640} << 32);
  const mode_t mask = umask(0);
  const Values opened = One(
      {.opcode = Opcode::kOpenat, .fd = AT_FDCWD, .address = path.data(), .parameter = parameter});
  umask(mask);
  ASSERT_GE(opened[0], 0);
  struct stat status;
  ASSERT_EQ(fstat(opened[0], &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
  EXPECT_EQ(fcntl(opened[0], F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(fcntl(opened[0], F_GETFL) & O_ACCMODE, O_RDWR);
  EXPECT_EQ(One({.opcode = Opcode::kOpenat,
                 .fd = AT_FDCWD,
                 .address = path.data(),
                 .parameter = parameter}),
            Values({-EEXIST}));
  EXPECT_EQ(One({.opcode = Opcode::kClose, .fd = opened[0]}), Values({0}));
  EXPECT_EQ(fcntl(opened[0], F_GETFD), -1);
  EXPECT_EQ(One({.opcode = Opcode::kClose, .fd = opened[0]}), Values({-EBADF}));
  unlink(path.c_str());
}

TEST_P(IoUringFilesTest, StatxFillsTheCallersStruct) {
  TempFile file(Bytes(1234));
  std::string path = file.path();
  struct statx result = {};
  Request request = {
      .opcode = Opcode::kStatx,
      .fd = AT_FDCWD,
      .file_offset = reinterpret_cast<uint64_t>(&result),
      .address = path.data(),
      .parameter = AT_STATX_SYNC_AS_STAT | (uint64_t{STATX_SIZE | STATX_TYPE} << 32)};
  EXPECT_EQ(One(request), Values({0}));
  EXPECT_EQ(result.stx_size, 1234u);
  EXPECT_EQ(result.stx_mask & (STATX_SIZE | STATX_TYPE), uint32_t{STATX_SIZE | STATX_TYPE});
  char empty[] = "";
  result = {};
  request.fd = file.fd();
  request.address = empty;
  request.parameter = AT_EMPTY_PATH | (uint64_t{STATX_SIZE} << 32);
  EXPECT_EQ(One(request), Values({0}));
  EXPECT_EQ(result.stx_size, 1234u);
  char missing[] = "/no/such/file";
  request.address = missing;
  EXPECT_EQ(One(request), Values({-ENOENT}));
}

TEST_P(IoUringFilesTest, AFileSlotKeepsItsFileOpenUntilItIsEmptied) {
  SKIP_UNLESS(engine_->info().fixed_file_count != 0, "fixed_files");
  const std::vector<char> bytes = Bytes(32);
  char data[32];
  {
    const TempFile file(bytes);
    ASSERT_EQ(engine_->SetFile(3, file.fd()), 0);
  }  // the table keeps the file open
  EXPECT_EQ(One(ReadAt(3, 0, data, 32, kRequestFixedFile)), Values({32}));
  EXPECT_TRUE(std::equal(data, data + 32, bytes.begin()));
  EXPECT_EQ(One(ReadAt(2, 0, data, 32, kRequestFixedFile)), Values({-EBADF}));
  EXPECT_EQ(engine_->SetFile(3, -1), 0);
  EXPECT_EQ(One(ReadAt(3, 0, data, 32, kRequestFixedFile)), Values({-EBADF}));
}

TEST_P(IoUringFilesTest, ClosingAFileSlotEmptiesItAndNothingElse) {
  SKIP_UNLESS(engine_->info().fixed_file_count != 0, "fixed_files");
  const TempFile file(Bytes(8));
  ASSERT_EQ(engine_->SetFile(0, file.fd()), 0);
  ASSERT_EQ(engine_->SetFile(1, file.fd()), 0);
  EXPECT_EQ(One({.opcode = Opcode::kClose, .flags = kRequestFixedFile, .fd = 0}), Values({0}));
  char data[8];
  EXPECT_EQ(One(ReadAt(0, 0, data, 8, kRequestFixedFile)), Values({-EBADF}));
  EXPECT_EQ(One(ReadAt(1, 0, data, 8, kRequestFixedFile)), Values({8}));
  EXPECT_NE(fcntl(0, F_GETFD), -1);  // slot 0 is not descriptor 0
  EXPECT_EQ(One({.opcode = Opcode::kClose, .flags = kRequestFixedFile, .fd = 0}), Values({-EBADF}));
}

TEST_P(IoUringFilesTest, SetFileReturnsTheErrno) {
  SKIP_UNLESS(engine_->info().fixed_file_count != 0, "fixed_files");
  EXPECT_EQ(engine_->SetFile(0, 1 << 20), -EBADF);
  EXPECT_EQ(engine_->SetFile(4, 0), -EINVAL);
  EngineOptions options = OptionsOf(GetParam());
  const std::unique_ptr<Engine> plain = MakeUring(options);
  EXPECT_EQ(plain->SetFile(0, 0), -EOPNOTSUPP);
}

}  // namespace
}  // namespace mooring
