// Runs every test on both engines, so that neither differs from the other.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"

namespace mooring {
namespace {

class EnginesAgree : public ::testing::TestWithParam<EngineKind> {
 protected:
  void SetUp() override {
    // With io_uring a write to a broken pipe raises SIGPIPE in the submitter.
    signal(SIGPIPE, SIG_IGN);
    EngineOptions options;
    options.fixed_file_count = 4;
    if (GetParam() == EngineKind::kThreads) {
      engine_ = MakeThreads(options);
    } else {
      SKIP_UNLESS(HasUring(), "io_uring");
      options.kind = EngineKind::kIoUring;
      engine_ = MakeUring(options);
    }
    ASSERT_NE(engine_, nullptr);
  }
  int32_t ResultOf(const Request& request) { return Results(*engine_, {request}).front(); }

  std::unique_ptr<Engine> engine_;
};

INSTANTIATE_TEST_SUITE_P(Engines, EnginesAgree,
                         ::testing::Values(EngineKind::kThreads, EngineKind::kIoUring),
                         [](const auto& tested) {
                           return tested.param == EngineKind::kThreads ? "Threads" : "IoUring";
                         });

TEST_P(EnginesAgree, ReadsReturnTheSameBytesAsPread) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  const TempFile file(Bytes(300'000));
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<char>> got(16);
    std::vector<std::vector<char>> expected(16);
    std::vector<Request> requests;
    Values sizes;
    for (size_t i = 0; i < got.size(); ++i) {
      const uint64_t offset = random() % 310'000;
      got[i].resize(1 + random() % 70'000);
      expected[i].resize(got[i].size());
      sizes.push_back(static_cast<int32_t>(
          pread(file.fd(), expected[i].data(), expected[i].size(), static_cast<off_t>(offset))));
      requests.push_back(ReadAt(file.fd(), offset, got[i].data(), got[i].size()));
    }
    ASSERT_EQ(Results(*engine_, requests), sizes);
    ASSERT_EQ(got, expected);
  }
}

TEST_P(EnginesAgree, WritesStoreTheirBytesAtTheirOffsets) {
  const TempFile file;
  const std::vector<char> bytes = Bytes(100'000);
  EXPECT_EQ(Results(*engine_, {WriteAt(file.fd(), 50'000, &bytes[50'000], 50'000),
                               WriteAt(file.fd(), 0, &bytes[0], 50'000)}),
            Values({50'000, 50'000}));
  std::vector<char> written(100'000);
  EXPECT_EQ(pread(file.fd(), written.data(), written.size(), 0), 100'000);
  EXPECT_EQ(written, bytes);
}

TEST_P(EnginesAgree, ImpossibleTransfersReturnTheirErrno) {
  char data[8] = {};
  const TempFile file(Bytes(8));
  const UniqueFd write_only(open(file.path().c_str(), O_WRONLY | O_CLOEXEC));
  const UniqueFd folder(open("/tmp", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(ResultOf(ReadAt(-1, 0, data, 8)), -EBADF);
  EXPECT_EQ(ResultOf(ReadAt(write_only.get(), 0, data, 8)), -EBADF);
  EXPECT_EQ(ResultOf(ReadAt(folder.get(), 0, data, 8)), -EISDIR);
  EXPECT_EQ(ResultOf(ReadAt(file.fd(), uint64_t{1} << 63, data, 8)), -EINVAL);
  EXPECT_EQ(ResultOf(ReadAt(file.fd(), 0, nullptr, 8)), -EFAULT);
  EXPECT_EQ(ResultOf(In(0, ReadAt(file.fd(), 0, data, 8))), -EFAULT) << "an empty buffer slot";
}

TEST_P(EnginesAgree, ReadsOfZeroBytesReturnZero) {
  const TempFile file(Bytes(8));
  Pipe pipe;
  EXPECT_EQ(Results(*engine_, {ReadAt(file.fd(), 0, nullptr, 0), ReadAt(file.fd(), 8, nullptr, 0),
                               ReadAt(pipe.read_end.get(), 0, nullptr, 0)}),
            Values({0, 0, 0}));
}

TEST_P(EnginesAgree, TheCurrentPositionIsUsedAndAdvanced) {
  const std::vector<char> bytes = Bytes(64);
  const TempFile file(bytes);
  char data[16];
  ASSERT_EQ(lseek(file.fd(), 8, SEEK_SET), 8);
  EXPECT_EQ(ResultOf(ReadOf(file.fd(), data, 16)), 16);
  EXPECT_TRUE(std::equal(data, data + 16, &bytes[8]));
  EXPECT_EQ(ResultOf(WriteOf(file.fd(), "0123", 4)), 4);
  EXPECT_EQ(lseek(file.fd(), 0, SEEK_CUR), 28);
}

TEST_P(EnginesAgree, StreamsIgnoreOffsets) {
  Pipe pipe;
  char data[8];
  EXPECT_EQ(ResultOf(WriteAt(pipe.write_end.get(), 12'345, "abcd", 4)), 4);
  EXPECT_EQ(ResultOf(ReadAt(pipe.read_end.get(), 4'321, data, 8)), 4);
  EXPECT_EQ(std::string(data, 4), "abcd");
}

TEST_P(EnginesAgree, AReadOfAnEmptyStreamWaitsEvenWithNonblock) {
  int pipe[2];
  ASSERT_EQ(pipe2(pipe, O_NONBLOCK | O_CLOEXEC), 0);
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
  char data[2][8];
  engine_->Submit(
      std::vector{As(1, ReadOf(pipe[0], data[0], 8)), As(2, ReadOf(sockets[0], data[1], 8))});
  ExpectNone(*engine_);
  ASSERT_EQ(write(sockets[1], "abc", 3), 3);
  EXPECT_EQ(Take(*engine_, 1).front().token, 2u);
  ASSERT_EQ(write(pipe[1], "abcd", 4), 4);
  EXPECT_EQ(Take(*engine_, 1).front().result, 4);
  for (const int fd : {pipe[0], pipe[1], sockets[0], sockets[1]}) close(fd);
}

TEST_P(EnginesAgree, AWriteToAStreamStopsWhereItWouldWait) {
  Pipe pipe;
  const std::vector<char> bytes = Bytes(1 << 20);
  const int32_t written = ResultOf(WriteOf(pipe.write_end.get(), bytes.data(), bytes.size()));
  EXPECT_EQ(written, fcntl(pipe.read_end.get(), F_GETPIPE_SZ));
  // A write into a full pipe waits for room.
  engine_->Submit(std::vector{As(1, WriteOf(pipe.write_end.get(), bytes.data(), 10))});
  ExpectNone(*engine_);
  std::vector<char> data(1 << 20);
  ASSERT_EQ(read(pipe.read_end.get(), data.data(), data.size()), written);
  EXPECT_EQ(Take(*engine_, 1).front().result, 10);
}

TEST_P(EnginesAgree, ABrokenPipeIsAnErrorAndEndOfFileIsZero) {
  Pipe pipe;
  char data[8];
  engine_->Submit(std::vector{As(1, ReadOf(pipe.read_end.get(), data, 8))});
  pipe.write_end.Reset();
  EXPECT_EQ(Take(*engine_, 1).front().result, 0);
  Pipe broken;
  broken.read_end.Reset();
  EXPECT_EQ(ResultOf(WriteOf(broken.write_end.get(), "x", 1)), -EPIPE);
}

TEST_P(EnginesAgree, ARequestThatWaitsKeepsItsFileWhenTheDescriptorIsClosed) {
  Pipe pipe;
  char data[8];
  engine_->Submit(std::vector{As(1, ReadOf(pipe.read_end.get(), data, 8))});
  ExpectNone(*engine_);
  const int number = pipe.read_end.Release();
  // As a raw system call: TSAN reports close(2) during another use of the descriptor as a race.
  ASSERT_EQ(syscall(SYS_close, number), 0);
  const UniqueFd other(open("/dev/zero", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(other.get(), number) << "the number is used again";
  ASSERT_EQ(write(pipe.write_end.get(), "abc", 3), 3);
  EXPECT_EQ(Take(*engine_, 1).front().result, 3);
  EXPECT_EQ(std::string(data, 3), "abc");
}

TEST_P(EnginesAgree, EventfdsAddAndReadTheirCounter) {
  const UniqueFd counter(eventfd(0, EFD_CLOEXEC));
  uint64_t got = 0;
  const uint64_t three = 3;
  engine_->Submit(std::vector{As(1, ReadOf(counter.get(), &got, 8))});
  ExpectNone(*engine_);
  engine_->Submit(std::vector{As(2, WriteOf(counter.get(), &three, 8))});
  for (const Event& event : Take(*engine_, 2)) EXPECT_EQ(event.result, 8);
  EXPECT_EQ(got, 3u);
}

TEST_P(EnginesAgree, FsyncAndFallocateAgreeWithTheirSystemCalls) {
  const TempFile file(Bytes(8));
  Pipe pipe;
  const Request fsync = {.opcode = Opcode::kFsync, .fd = file.fd()};
  const Request data_only = {.opcode = Opcode::kFsync, .fd = file.fd(), .parameter = 1};
  const Request of_pipe = {.opcode = Opcode::kFsync, .fd = pipe.read_end.get()};
  EXPECT_EQ(Results(*engine_, {fsync, data_only, of_pipe}), Values({0, 0, -EINVAL}));
  const auto allocate = [&](uint64_t offset, uint64_t size, uint64_t mode) {
    return ResultOf({.opcode = Opcode::kFallocate,
                     .fd = file.fd(),
                     .file_offset = offset,
                     .size64 = size,
                     .parameter = mode});
  };
  struct stat stat;
  EXPECT_EQ(allocate(4096, 4096, 0), 0);
  ASSERT_EQ(fstat(file.fd(), &stat), 0);
  EXPECT_EQ(stat.st_size, 8192);
  EXPECT_EQ(allocate(8192, 4096, FALLOC_FL_KEEP_SIZE), 0);
  ASSERT_EQ(fstat(file.fd(), &stat), 0);
  EXPECT_EQ(stat.st_size, 8192);
  EXPECT_EQ(allocate(0, 0, 0), -EINVAL);
}

TEST_P(EnginesAgree, OpenatStatxAndCloseAgreeWithTheirSystemCalls) {
  const TempName name;
  umask(0);
  EXPECT_EQ(ResultOf(OpenAt(name.c_str(), O_RDONLY)), -ENOENT);
  const int made = ResultOf(OpenAt(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640));
  ASSERT_GE(made, 0);
  EXPECT_EQ(fcntl(made, F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(write(made, "12345", 5), 5);
  const int opened = ResultOf(OpenAt(name.c_str(), O_RDWR | O_APPEND));
  ASSERT_GE(opened, 0);
  EXPECT_EQ(fcntl(opened, F_GETFD), 0);
  EXPECT_EQ(fcntl(opened, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND);
  struct statx found = {};
  const Request statx = {.opcode = Opcode::kStatx,
                         .fd = AT_FDCWD,
                         .file_offset = reinterpret_cast<uint64_t>(&found),
                         .address = const_cast<char*>(name.c_str()),
                         .parameter = uint64_t{STATX_SIZE | STATX_MODE} << 32};
  EXPECT_EQ(ResultOf(statx), 0);
  EXPECT_EQ(found.stx_size, 5u);
  EXPECT_EQ(found.stx_mode & 07777, 0640);
  EXPECT_EQ(Results(*engine_, {CloseOf(made), CloseOf(opened)}), Values({0, 0}));
  EXPECT_EQ(ResultOf(CloseOf(made)), -EBADF);
}

TEST_P(EnginesAgree, OpenatOfAFifoDoesNotWait) {
  const Fifo fifo;
  EXPECT_EQ(ResultOf(OpenAt(fifo.c_str(), O_WRONLY)), -ENXIO);
  const UniqueFd reader(ResultOf(OpenAt(fifo.c_str(), O_RDONLY | O_CLOEXEC)));
  ASSERT_TRUE(reader.valid());
  EXPECT_EQ(fcntl(reader.get(), F_GETFL) & O_NONBLOCK, 0);
  const UniqueFd writer(ResultOf(OpenAt(fifo.c_str(), O_WRONLY | O_CLOEXEC)));
  EXPECT_TRUE(writer.valid());
}

TEST_P(EnginesAgree, FixedFilesAreUsedByIndex) {
  char data[8] = {};
  {
    const TempFile file(Bytes(8));
    ASSERT_EQ(engine_->SetFile(2, file.fd()), 0);
  }  // the slot holds its own reference
  EXPECT_EQ(ResultOf(ReadAt(2, 0, data, 8, kRequestFixedFile)), 8);
  EXPECT_EQ(std::vector<char>(data, data + 8), Bytes(8));
  EXPECT_EQ(Results(*engine_, {ReadAt(0, 0, data, 8, kRequestFixedFile),
                               ReadAt(4, 0, data, 8, kRequestFixedFile),
                               ReadAt(-1, 0, data, 8, kRequestFixedFile)}),
            Values({-EBADF, -EBADF, -EBADF}));
  EXPECT_EQ(ResultOf(With(kRequestFixedFile, OpenAt("/dev/null", O_RDONLY))), -EBADF);
  EXPECT_EQ(Results(*engine_, {With(kRequestFixedFile | kRequestLink, CloseOf(2)),
                               With(kRequestFixedFile, CloseOf(2))}),
            Values({0, -EBADF}));
  EXPECT_EQ(ResultOf(With(kRequestFixedFile, CloseOf(4))), -EINVAL);
  EXPECT_EQ(engine_->SetFile(4, 0), -EINVAL);
  EXPECT_EQ(engine_->SetFile(0, 1'000'000), -EBADF);
  EXPECT_EQ(engine_->SetFile(0, -1), 0);
}

TEST_P(EnginesAgree, ARequestKeepsTheFixedFileItStartedWith) {
  Pipe pipe;
  char data[8];
  ASSERT_EQ(engine_->SetFile(1, pipe.read_end.get()), 0);
  pipe.read_end.Reset();
  engine_->Submit(std::vector{As(1, With(kRequestFixedFile, ReadOf(1, data, 8)))});
  ExpectNone(*engine_);
  ASSERT_EQ(engine_->SetFile(1, -1), 0);
  ASSERT_EQ(write(pipe.write_end.get(), "ab", 2), 2);
  EXPECT_EQ(Take(*engine_, 1).front().result, 2);
}

TEST_P(EnginesAgree, AMixedBatchGivesOneEventForEachRequest) {
  const TempFile file(Bytes(100));
  char data[100];
  std::vector<Request> requests;
  Values expected;
  for (int i = 0; i < 20; ++i) {
    requests.insert(requests.end(), {Nop(),
                                     ReadAt(file.fd(), 0, data, 100),
                                     Timeout(1000),
                                     Cancel(999'999),
                                     {.opcode = Opcode::kFsync, .fd = file.fd()}});
    expected.insert(expected.end(), {0, 100, -ETIME, -ENOENT, 0});
  }
  EXPECT_EQ(Results(*engine_, requests), expected);
}

}  // namespace
}  // namespace mooring
