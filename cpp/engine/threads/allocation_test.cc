// The engine allocates nothing after creation: this program counts every malloc while requests of
// all kinds run. It is a program of its own because it replaces malloc.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "cpp/engine/testing/threads_test_support.h"

namespace {
std::atomic<bool> counting{false};
std::atomic<unsigned> allocations{0};
void Count() {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

// The functions of glibc, by the names that it keeps for programs that replace malloc ("Replacing
// malloc" in its manual).
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* malloc(size_t size) {
  Count();
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  Count();
  return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  Count();
  return __libc_realloc(old, size);
}
}

namespace mooring {
namespace {

// All data is on the stack or static, so that the test itself allocates nothing.
TEST(ThreadsAllocation, AllocatesNothingAfterCreation) {
  EngineOptions options;
  options.fixed_file_count = 2;
  const auto engine = MakeThreads(options);
  const TempFile file(Bytes(8192));
  const Fifo fifo;
  Pipe pipe;
  Terminal terminal;
  ASSERT_TRUE(engine->EventFd().ok());
  static char data[16][4096];
  const auto round = [&](uint64_t first) {
    ASSERT_EQ(engine->SetFile(0, file.fd()), 0);
    const int terminal_fd = terminal.slave.get();
    const Request requests[] = {
        Nop(),
        ReadAt(file.fd(), 0, data[0], 4096, kRequestLink),
        WriteAt(file.fd(), 0, data[0], 4096),
        ReadAt(0, 0, data[1], 4096, kRequestFixedFile),
        {.opcode = Opcode::kFsync, .fd = file.fd()},
        OpenAt(fifo.c_str(), O_WRONLY),
        ReadOf(pipe.read_end.get(), data[2], 4096),
        ReadOf(pipe.read_end.get(), data[3], 4096),
        ReadOf(terminal_fd, data[4], 4096),
        ReadOf(terminal_fd, data[5], 4096),
        Timeout(1'000'000),
        Timeout(60'000'000'000),
        Cancel(first + 11),
        Cancel(first + 7),
        Cancel(first + 9),
        Nop(kRequestDrain),
        Nop(),
    };
    constexpr size_t kCount = std::size(requests);
    Request batch[kCount];
    for (size_t i = 0; i < kCount; ++i) batch[i] = As(first + i, requests[i]);
    engine->Submit(batch);
    ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
    ASSERT_EQ(write(terminal.master.get(), "x", 1), 1);
    Event events[kCount];
    uint32_t have = 0;
    const Deadline deadline = Patience();
    while (have < kCount && !deadline.Passed()) {
      have += engine->Reap({events + have, kCount - have}, static_cast<uint32_t>(kCount) - have,
                           Deadline::After(10'000'000));
      if (have == kCount) break;
      // For a read whose cancellation came too late.
      engine->Wake();
      ASSERT_EQ(write(pipe.write_end.get(), "x", 1), 1);
      ASSERT_EQ(write(terminal.master.get(), "x", 1), 1);
    }
    ASSERT_EQ(have, kCount);
  };
  round(0);  // the C library may allocate on first use
  counting = true;
  for (uint64_t i = 1; i <= 20; ++i) round(i * 100);
  counting = false;
  EXPECT_EQ(allocations.load(), 0u);
  counting = true;
  void* const counted = malloc(1);
  counting = false;
  free(counted);
  EXPECT_EQ(allocations.load(), 1u) << "the counter works";
}

}  // namespace
}  // namespace mooring
