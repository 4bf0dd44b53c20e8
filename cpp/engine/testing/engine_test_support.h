// engine_test_support.h: helpers for the tests of engines: makes engines and requests, collects
// results, and provides a file, a pipe, a pair of sockets and a child process.
//
// Threading: one thread, except where a test uses several.
//
//   auto engine = MakeUring(Mode::kOwner);
//   EXPECT_EQ(Results(*engine, {ReadAt(fd, 0, data, 4096)}), Values({4096}));
#ifndef MOORING_CPP_ENGINE_TESTING_ENGINE_TEST_SUPPORT_H_
#define MOORING_CPP_ENGINE_TESTING_ENGINE_TEST_SUPPORT_H_

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cpp/base/deadline.h"
#include "cpp/base/unique_fd.h"
#include "cpp/engine/engine.h"
#include "cpp/engine/io_uring/io_uring_engine.h"
#include "cpp/engine/request.h"

namespace mooring {

// Long enough for a loaded machine with a sanitizer. Only a failing test waits that long.
inline Deadline Patience() { return Deadline::After(20'000'000'000); }
// The time for which a test checks that no event arrives.
inline Deadline QuietDeadline() { return Deadline::After(20'000'000); }

enum class Mode { kAnyThread, kOwner, kSqpoll };
inline std::string ModeName(const ::testing::TestParamInfo<Mode>& info) {
  return info.param == Mode::kAnyThread ? "AnyThread"
         : info.param == Mode::kOwner   ? "Owner"
                                        : "Sqpoll";
}

inline EngineOptions OptionsOf(Mode mode) {
  EngineOptions options;
  options.kind = EngineKind::kIoUring;
  options.owner_thread = mode == Mode::kOwner;
  options.sqpoll = mode == Mode::kSqpoll;
  options.sqpoll_idle_ms = 1;  // so that the SQPOLL thread sleeps in most tests and must be woken
  return options;
}

// Null when the machine has no io_uring. Tests check that with SKIP_UNLESS(HasUring(), "io_uring").
inline std::unique_ptr<Engine> MakeUring(const EngineOptions& options,
                                         const UringCalls& calls = kKernelCalls) {
  Unavailability why;
  std::unique_ptr<Engine> engine = CreateIoUringEngine(options, &why, calls);
  if (engine == nullptr)
    fprintf(stderr, "no engine: %s (%s)\n", why.message.c_str(), why.remedy.c_str());
  return engine;
}
inline std::unique_ptr<Engine> MakeUring(Mode mode) { return MakeUring(OptionsOf(mode)); }

inline bool IsRequired(const std::string& feature) {
  const char* list = getenv("MOORING_REQUIRE");
  return list != nullptr &&
         ("," + std::string(list) + ",").find("," + feature + ",") != std::string::npos;
}

// When `has` is false, skips the test, or fails it where MOORING_REQUIRE names the feature.
#define SKIP_UNLESS(has, feature)                                                        \
  do {                                                                                   \
    if (has) break;                                                                      \
    if (::mooring::IsRequired(feature)) FAIL() << "MOORING_REQUIRE names " << (feature); \
    GTEST_SKIP() << "missing: " << (feature);                                            \
  } while (false)

inline bool HasUring() {
  static const bool has = MakeUring(Mode::kAnyThread) != nullptr;
  return has;
}

inline Request Nop(uint16_t flags = 0) { return {.opcode = Opcode::kNop, .flags = flags}; }
inline Request ReadAt(int fd, uint64_t offset, void* address, uint64_t size, uint16_t flags = 0) {
  return {.opcode = Opcode::kRead,
          .flags = flags,
          .fd = fd,
          .file_offset = offset,
          .address = address,
          .size64 = size};
}
inline Request WriteAt(int fd, uint64_t offset, const void* address, uint64_t size,
                       uint16_t flags = 0) {
  return {.opcode = Opcode::kWrite,
          .flags = flags,
          .fd = fd,
          .file_offset = offset,
          .address = const_cast<void*>(address),
          .size64 = size};
}
inline Request Timeout(uint64_t nanoseconds, uint16_t flags = 0) {
  return {.opcode = Opcode::kTimeout, .flags = flags, .size64 = nanoseconds};
}
inline Request Cancel(uint64_t token) { return {.opcode = Opcode::kCancel, .size64 = token}; }
inline Request In(int32_t buffer_slot, Request request) {
  request.buffer_slot = buffer_slot;
  return request;
}
inline Request As(uint64_t token, Request request) {
  request.token = token;
  return request;
}

// Exactly `count` events, in the order in which they arrive. Fewer fail the test.
inline std::vector<Event> Take(Engine& engine, uint32_t count) {
  std::vector<Event> events(count);
  uint32_t have = 0;
  const Deadline deadline = Patience();
  while (have < count && !deadline.Passed()) {
    have += engine.Reap(std::span(events).subspan(have), count - have, deadline);
  }
  EXPECT_EQ(have, count);
  events.resize(have);
  return events;
}

// Expects that no event arrives.
inline void ExpectNone(Engine& engine) {
  Event event;
  EXPECT_EQ(engine.Reap({&event, 1}, 1, QuietDeadline()), 0u)
      << "token " << event.token << ", result " << event.result;
}

using Values = std::vector<int32_t>;

// Submits all requests, waits for all events, and returns the results in the order of the requests.
// Each request must get exactly one event.
inline Values Results(Engine& engine, std::vector<Request> requests) {
  const uint32_t count = static_cast<uint32_t>(requests.size());
  for (uint32_t i = 0; i < count; ++i) requests[i].token = 1000 + i;
  engine.Submit(requests);
  Values results(count, INT32_MIN);
  for (const Event& event : Take(engine, count)) {
    const uint64_t index = event.token - 1000;
    EXPECT_LT(index, count);
    if (index >= count) continue;
    EXPECT_EQ(results[index], INT32_MIN) << "two events for request " << index;
    results[index] = event.result;
  }
  return results;
}

inline std::vector<char> Bytes(size_t count, unsigned seed = 1) {
  std::vector<char> bytes(count);
  uint64_t state = seed;
  for (char& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

// A named file, which the destructor deletes.
class TempFile {
 public:
  explicit TempFile(const std::vector<char>& bytes = {}) {
    const char* folder = getenv("TEST_TMPDIR");
    path_ = std::string(folder != nullptr ? folder : "/tmp") + "/ring_test_XXXXXX";
    fd_.Reset(mkstemp(path_.data()));
    EXPECT_TRUE(fd_.valid());
    EXPECT_EQ(write(fd_.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  ~TempFile() { unlink(path_.c_str()); }
  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  UniqueFd fd_;
};

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    read_end.Reset(ends[0]);
    write_end.Reset(ends[1]);
  }
  UniqueFd read_end;
  UniqueFd write_end;
};

// Runs `body` in a child of fork(2) and returns its complaint, "" on success.
inline std::string InChild(const std::function<std::string()>& body) {
  Pipe report;
  fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);  // ends a child that hangs
    const std::string complaint = body();
    const ssize_t written = write(report.write_end.get(), complaint.data(), complaint.size());
    _exit(written == static_cast<ssize_t>(complaint.size()) ? 0 : 1);
  }
  report.write_end.Reset();
  std::string complaint;
  char chunk[512];
  for (ssize_t count; (count = read(report.read_end.get(), chunk, sizeof(chunk))) > 0;) {
    complaint.append(chunk, static_cast<size_t>(count));
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    complaint += " (the child ended with " + std::to_string(status) + ")";
  return complaint;
}

// A pair of stream sockets.
struct SocketPair {
  SocketPair() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    one.Reset(ends[0]);
    other.Reset(ends[1]);
  }
  UniqueFd one;
  UniqueFd other;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_TESTING_ENGINE_TEST_SUPPORT_H_
