// Transfers: bytes between files and slabs. The tests check every byte and the path that it took.

#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kMebibyte = uint64_t{1} << 20;

class Transfers : public DataTest {
 protected:
  const TempDir dir_;
};

CONFORMANCE_TEST(Transfers, ReadsEverySizeToEveryPlace, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(41, 0, kSlabBytes));
  uint64_t fixed = 0;
  uint64_t copied = 0;
  for (uint64_t size :
       {uint64_t{1}, uint64_t{511}, uint64_t{512}, uint64_t{4096}, kBufferBytes, kMebibyte}) {
    for (uint64_t offset :
         {uint64_t{0}, uint64_t{1}, kBufferBytes - 1, kMebibyte - 512, kSlabBytes - size}) {
      SCOPED_TRACE("size " + std::to_string(size) + " to offset " + std::to_string(offset));
      if (offset + size > kSlabBytes) continue;
      FillPattern(data(), 1, 0, kSlabBytes);
      const mooring_completion_t read =
          RunOne(ring_, Read(file.get(), offset / 2, At(offset), size));
      ASSERT_EQ(read.result, static_cast<int64_t>(size));
      EXPECT_EQ(read.flags, 0u);
      EXPECT_EQ(read.path, PathOf(offset, size));
      (PathOf(offset, size) == MOORING_PATH_FIXED ? fixed : copied) += 1;
      EXPECT_TRUE(HasPattern(data(offset), 41, offset / 2, size));
      EXPECT_TRUE(HasPattern(data(), 1, 0, offset)) << "bytes before the range were changed";
      EXPECT_TRUE(HasPattern(data(offset + size), 1, offset + size, kSlabBytes - offset - size))
          << "bytes after the range were changed";
    }
  }
  EXPECT_EQ(Stats(ring_).read_fixed, fixed);
  EXPECT_EQ(Stats(ring_).read, copied);
}

CONFORMANCE_TEST(Transfers, WritesEverySizeFromEveryPlace, kAnywhere) {
  FillPattern(data(), 42, 0, kSlabBytes);
  uint64_t bytes = 0;
  for (uint64_t size :
       {uint64_t{1}, uint64_t{511}, uint64_t{512}, uint64_t{4096}, kBufferBytes, kMebibyte}) {
    for (uint64_t offset : {uint64_t{0}, uint64_t{3}, kBufferBytes - 1, kSlabBytes - size}) {
      SCOPED_TRACE("size " + std::to_string(size) + " from offset " + std::to_string(offset));
      const Fd file = dir_.Create("out");
      const mooring_completion_t write = RunOne(ring_, Write(file.get(), 1000, At(offset), size));
      ASSERT_EQ(write.result, static_cast<int64_t>(size));
      EXPECT_EQ(write.path, PathOf(offset, size));
      const std::vector<std::byte> contents = Contents(file.get());
      ASSERT_EQ(contents.size(), 1000 + size);
      EXPECT_TRUE(IsAll(contents.data(), std::byte{0}, 1000));
      EXPECT_TRUE(HasPattern(contents.data() + 1000, 42, offset, size));
      bytes += size;
    }
  }
  EXPECT_EQ(Stats(ring_).write_bytes, bytes);
}

CONFORMANCE_TEST(Transfers, ATransferOfZeroBytesMovesNothing, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(43, 0, 4096));
  const mooring_completion_t read = RunOne(ring_, Read(file.get(), 0, At(0), 0));
  EXPECT_EQ(read.result, 0);
  EXPECT_EQ(read.flags, 0u) << "0 of 0 bytes is neither short nor the end of the file";
  EXPECT_EQ(RunOne(ring_, Write(file.get(), 0, At(0), 0)).result, 0);
  EXPECT_EQ(FileSize(file.get()), 4096u);
}

CONFORMANCE_TEST(Transfers, Rule4EndOfFileIsAStatus, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(44, 0, 5000));
  const auto completions =
      Run(ring_, {Read(file.get(), 4096, At(0), 4096), Read(file.get(), 5000, At(4096), 4096),
                  Read(file.get(), uint64_t{1} << 40, At(8192), 1)});
  EXPECT_EQ(completions[0].result, 904);
  EXPECT_EQ(completions[0].flags, MOORING_COMPLETION_SHORT);
  EXPECT_TRUE(HasPattern(data(), 44, 4096, 904));
  for (int i : {1, 2}) {
    EXPECT_EQ(completions[i].result, 0);
    EXPECT_NE(completions[i].flags & MOORING_COMPLETION_END_OF_FILE, 0u);
  }
  EXPECT_GE(Stats(ring_).short_count, 1u);
  EXPECT_EQ(Stats(ring_).read_bytes, 904u);
}

CONFORMANCE_TEST(Transfers, InALeaseOffsetsCountFromItsStart, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(45, 0, 2 * kBufferBytes));
  Acquire(slab_, 3);
  const mooring_lease_t lease = Acquire(slab_, 2);
  const uint64_t start = lease.first_index * kBufferBytes;
  const mooring_completion_t read = RunOne(
      ring_, Read(file.get(), 0, InLease(registration_.get(), lease, 512), 2 * kBufferBytes - 512));
  EXPECT_EQ(read.result, static_cast<int64_t>(2 * kBufferBytes - 512));
  EXPECT_EQ(read.path, PathOf(start + 512, 2 * kBufferBytes - 512));
  EXPECT_TRUE(HasPattern(data(start + 512), 45, 0, 2 * kBufferBytes - 512));
}

CONFORMANCE_TEST(Transfers, AnAddressTakesTheCopyPath, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(46, 0, 70'000));
  std::vector<std::byte> memory(70'000);
  const mooring_completion_t read =
      RunOne(ring_, Read(file.get(), 0, AtAddress(memory.data()), memory.size()));
  EXPECT_EQ(read.result, 70'000);
  EXPECT_EQ(read.path, MOORING_PATH_COPY);
  EXPECT_TRUE(HasPattern(memory.data(), 46, 0, memory.size()));

  const Fd copy = dir_.Create("copy");
  const mooring_completion_t write =
      RunOne(ring_, Write(copy.get(), 0, AtAddress(memory.data()), memory.size()));
  EXPECT_EQ(write.result, 70'000);
  EXPECT_EQ(write.path, MOORING_PATH_COPY);
  EXPECT_TRUE(HasPattern(Contents(copy.get()).data(), 46, 0, 70'000));
  EXPECT_EQ(Stats(ring_).read, 1u);
  EXPECT_EQ(Stats(ring_).write, 1u);
  EXPECT_EQ(Stats(ring_).read_fixed + Stats(ring_).write_fixed, 0u);
}

CONFORMANCE_TEST(Transfers, StreamOperationsMoveThePosition, kAnywhere) {
  const Fd file = dir_.Create("data", Pattern(47, 0, 3 * 4096));
  for (uint64_t i = 0; i < 3; ++i) {
    const mooring_completion_t read = RunOne(ring_, ReadStream(file.get(), At(0), 4096));
    EXPECT_EQ(read.result, 4096);
    EXPECT_TRUE(HasPattern(data(), 47, i * 4096, 4096));
  }
  const mooring_completion_t end = RunOne(ring_, ReadStream(file.get(), At(0), 4096));
  EXPECT_EQ(end.result, 0);
  EXPECT_NE(end.flags & MOORING_COMPLETION_END_OF_FILE, 0u);
  FillPattern(data(), 48, 0, 100);
  EXPECT_EQ(RunOne(ring_, WriteStream(file.get(), At(0), 100)).result, 100);
  EXPECT_EQ(FileSize(file.get()), 3u * 4096 + 100);
  // An operation with an explicit offset does not change the position.
  EXPECT_EQ(RunOne(ring_, Read(file.get(), 0, At(0), 512)).result, 512);
  EXPECT_EQ(RunOne(ring_, ReadStream(file.get(), At(0), 512)).result, 0);
}

CONFORMANCE_TEST(Transfers, Rule4AShortReadOfAPipeReportsItsBytes, kAnywhere) {
  const Pipe pipe;
  const std::vector<std::byte> sent = Pattern(49, 0, 300);
  pipe.Write(sent.data(), sent.size());
  const mooring_completion_t read = RunOne(ring_, ReadStream(pipe.read_fd(), At(0), 4096));
  EXPECT_EQ(read.result, 300);
  EXPECT_NE(read.flags & MOORING_COMPLETION_SHORT, 0u);
  EXPECT_EQ(read.path, PathOf(0, 4096));
  EXPECT_TRUE(HasPattern(data(), 49, 0, 300));
}

CONFORMANCE_TEST(Transfers, APipeWithoutAWriterIsAtEndOfFile, kAnywhere) {
  Pipe pipe;
  pipe.CloseWriteEnd();
  const mooring_completion_t read = RunOne(ring_, ReadStream(pipe.read_fd(), At(0), 4096));
  EXPECT_EQ(read.result, 0);
  EXPECT_NE(read.flags & MOORING_COMPLETION_END_OF_FILE, 0u);
}

CONFORMANCE_TEST(Transfers, APipeWithoutAReaderFailsWithEpipe, kAnywhere) {
  Pipe pipe;
  pipe.CloseReadEnd();
  EXPECT_EQ(RunOne(ring_, WriteStream(pipe.write_fd(), At(0), 4096)).result, -EPIPE);
}

CONFORMANCE_TEST(Transfers, AFifoIsAStream, kAnywhere) {
  const Fd fifo = dir_.CreateFifo("fifo");
  FillPattern(data(), 50, 0, 4096);
  EXPECT_EQ(RunOne(ring_, WriteStream(fifo.get(), At(0), 4096)).result, 4096);
  EXPECT_EQ(RunOne(ring_, ReadStream(fifo.get(), At(kBufferBytes), 4096)).result, 4096);
  EXPECT_TRUE(HasPattern(data(kBufferBytes), 50, 0, 4096));
}

CONFORMANCE_TEST(Transfers, Rule7EveryRecordIsWrittenWhole, kAnywhere) {
  // Operations of all kinds use the same queue entries in turn. Fields of an earlier operation must
  // not affect a later one.
  const Fd first = dir_.Create("first", Pattern(51, 0, kSlabBytes));
  const Fd second = dir_.Create("second", Pattern(52, 0, kSlabBytes));
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<std::byte> memory(kBufferBytes);
  for (int round = 0; round < 300 && !HasFailure(); ++round) {
    std::vector<mooring_op_t> operations;
    for (uint64_t i = 0; i < kBufferCount; ++i) {
      const int fd = random() % 2 == 0 ? first.get() : second.get();
      const uint64_t size = 1 + random() % 4096;
      const uint64_t from = random() % (kSlabBytes - size);
      switch (random() % 5) {
        case 0:
          operations.push_back(Nop());
          break;
        case 1:
          operations.push_back(Fsync(fd, MOORING_FSYNC_DATA_ONLY));
          break;
        case 2:
          operations.push_back(WithFlags(Nop(), MOORING_OPERATION_DRAIN));
          break;
        default:
          operations.push_back(Read(fd, from, At(i * kBufferBytes), size));
      }
    }
    const auto completions = Run(ring_, operations);
    for (uint64_t i = 0; i < kBufferCount; ++i) {
      if (operations[i].opcode != MOORING_OPCODE_READ) {
        EXPECT_EQ(completions[i].result, 0);
        EXPECT_EQ(completions[i].path, MOORING_PATH_NONE);
        continue;
      }
      ASSERT_EQ(completions[i].result, static_cast<int64_t>(operations[i].size));
      EXPECT_EQ(completions[i].path, PathOf(i * kBufferBytes, operations[i].size));
      EXPECT_TRUE(HasPattern(data(i * kBufferBytes), operations[i].fd == first.get() ? 51 : 52,
                             operations[i].file_offset, operations[i].size));
    }
  }
}

}  // namespace
}  // namespace mooring::conformance
