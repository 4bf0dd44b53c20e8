// Helpers of the threads engine tests, in addition to engine_test_support.h: the engine, a worker
// that is kept busy, a FIFO, a terminal, and a wait for a condition.
#ifndef MOORING_CPP_ENGINE_TESTING_THREADS_TEST_SUPPORT_H_
#define MOORING_CPP_ENGINE_TESTING_THREADS_TEST_SUPPORT_H_

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cpp/base/unique_fd.h"
#include "cpp/engine/engine.h"
#include "cpp/engine/testing/engine_test_support.h"
#include "cpp/engine/threads/threads_engine.h"

namespace mooring {

inline std::unique_ptr<Engine> MakeThreads(const EngineOptions& options = {}) {
  Result<std::unique_ptr<Engine>> engine = CreateThreadsEngine(options);
  EXPECT_TRUE(engine.ok()) << engine.status().message() << " (" << engine.status().remedy() << ")";
  return engine.ok() ? std::move(engine).value() : nullptr;
}

// Checks a condition every millisecond, where no event reports it. False if it stays false.
inline bool Eventually(const std::function<bool()>& condition) {
  const Deadline deadline = Patience();
  while (!condition()) {
    if (deadline.Passed()) return false;
    usleep(1000);
  }
  return true;
}

// A new name in the folder of the test. The destructor deletes the file.
class TempName {
 public:
  TempName() {
    const char* folder = getenv("TEST_TMPDIR");
    std::string path = std::string(folder != nullptr ? folder : "/tmp") + "/threads_test_XXXXXX";
    EXPECT_NE(mkdtemp(path.data()), nullptr);
    folder_ = path;
    path_ = path + "/name";
  }
  ~TempName() {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }
  TempName(const TempName&) = delete;
  TempName& operator=(const TempName&) = delete;
  const char* c_str() const { return path_.c_str(); }

 private:
  std::string folder_;
  std::string path_;
};

struct Fifo : TempName {
  Fifo() { EXPECT_EQ(mkfifo(c_str(), 0600), 0); }
};

inline Request OpenAt(const char* path, int flags, uint32_t mode = 0) {
  return {.opcode = Opcode::kOpenat,
          .fd = AT_FDCWD,
          .address = const_cast<char*>(path),
          .parameter = static_cast<uint32_t>(flags) | uint64_t{mode} << 32};
}
inline Request CloseOf(int fd) { return {.opcode = Opcode::kClose, .fd = fd}; }
inline Request ReadOf(int fd, void* address, uint64_t size) {
  return ReadAt(fd, kFileOffsetCurrent, address, size);
}
inline Request WriteOf(int fd, const void* address, uint64_t size) {
  return WriteAt(fd, kFileOffsetCurrent, address, size);
}
inline Request With(uint16_t flags, Request request) {
  request.flags |= flags;
  return request;
}

// The number of threads of this process that are in system call `number` now.
inline uint32_t ThreadsWithin(long number) {
  uint32_t count = 0;
  DIR* const tasks = opendir("/proc/self/task");
  while (const dirent* const task = tasks != nullptr ? readdir(tasks) : nullptr) {
    std::ifstream file(std::string("/proc/self/task/") + task->d_name + "/syscall");
    long found = -1;
    if (file >> found && found == number) ++count;
  }
  if (tasks != nullptr) closedir(tasks);
  return count;
}

// Keeps one worker in an openat that waits for a reader, until Free. Its token is kBusyToken.
class BusyWorker {
 public:
  static constexpr uint64_t kBusyToken = 77'777;
  explicit BusyWorker(Engine& engine) {
    const uint32_t before = ThreadsWithin(SYS_openat);
    engine.Submit(std::vector{As(kBusyToken, OpenAt(fifo_.c_str(), O_WRONLY | O_CREAT, 0600))});
    EXPECT_TRUE(Eventually([&] { return ThreadsWithin(SYS_openat) > before; }));
  }
  ~BusyWorker() { Free(); }
  void Free() {
    if (!reader_.valid()) reader_.Reset(open(fifo_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }

 private:
  Fifo fifo_;
  UniqueFd reader_;
};

// A terminal in raw mode, which passes bytes on unchanged. Its files take no RWF_NOWAIT.
struct Terminal {
  Terminal() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr), 0);
    master.Reset(ends[0]);
    slave.Reset(ends[1]);
    termios raw = {};
    EXPECT_EQ(tcgetattr(slave.get(), &raw), 0);
    cfmakeraw(&raw);
    EXPECT_EQ(tcsetattr(slave.get(), TCSANOW, &raw), 0);
  }
  UniqueFd master;
  UniqueFd slave;
};

inline uint32_t EntriesOf(const char* folder) {
  uint32_t count = 0;
  DIR* const entries = opendir(folder);
  while (entries != nullptr && readdir(entries) != nullptr) ++count;
  if (entries != nullptr) closedir(entries);
  return count;
}
inline uint32_t OpenDescriptors() { return EntriesOf("/proc/self/fd"); }
inline uint32_t RunningThreads() { return EntriesOf("/proc/self/task"); }

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_TESTING_THREADS_TEST_SUPPORT_H_
