// The engine as a whole: its report, waits and wakes, its destruction, and the resources that it
// releases.

#include "cpp/engine/threads/threads_engine.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "cpp/engine/testing/threads_test_support.h"

namespace mooring {
namespace {

constexpr uint64_t kLong = 60'000'000'000;

TEST(ThreadsEngine, ReportsItsLimits) {
  EngineOptions options;
  options.worker_count = 3;
  options.fixed_file_count = 8;
  options.fixed_buffer_count = 1024;
  options.owner_thread = true;
  options.sqpoll = true;
  const auto engine = MakeThreads(options);
  const EngineInfo& info = engine->info();
  EXPECT_EQ(info.kind, EngineKind::kThreads);
  EXPECT_EQ(info.worker_count, 3u);
  EXPECT_EQ(info.fixed_file_count, 8u);
  EXPECT_EQ(info.fixed_buffer_count, 0u);
  EXPECT_EQ(info.table_error, EOPNOTSUPP);
  EXPECT_EQ(info.submission_count, options.submission_count);
  EXPECT_EQ(info.completion_count, options.completion_count);
  EXPECT_EQ(info.setup_flags, 0u);
  EXPECT_TRUE(info.owner_thread);
  EXPECT_FALSE(info.sqpoll) << "there is no SQPOLL thread";
}

TEST(ThreadsEngine, HasFourToThirtyTwoWorkersByDefault) {
  EXPECT_GE(MakeThreads()->info().worker_count, 4u);
  EXPECT_LE(MakeThreads()->info().worker_count, 32u);
}

TEST(ThreadsEngine, HasNoBufferTable) {
  const auto engine = MakeThreads();
  const iovec none = {};
  EXPECT_EQ(engine->UpdateBuffers(0, {&none, 1}, {}), -EOPNOTSUPP);
  engine->UnregisterBuffers();
}

TEST(ThreadsEngine, KnowsItsOwner) {
  EngineOptions options;
  const auto shared = MakeThreads(options);
  options.owner_thread = true;
  const auto owned = MakeThreads(options);
  EXPECT_TRUE(owned->IsOwner());
  std::thread([&] {
    EXPECT_FALSE(owned->IsOwner());
    EXPECT_TRUE(shared->IsOwner());
  }).join();
}

TEST(ThreadsEngine, ReapReturnsTheEventsSoFarAtItsDeadline) {
  const auto engine = MakeThreads();
  Event events[4];
  EXPECT_EQ(engine->Reap(events, 0, Patience()), 0u) << "does not wait";
  engine->Submit(std::vector{Nop(), Nop()});
  const int64_t before = MonotonicNow();
  EXPECT_EQ(engine->Reap(events, 3, Deadline::After(20'000'000)), 2u);
  EXPECT_GE(MonotonicNow() - before, 20'000'000);
  EXPECT_EQ(engine->Reap(events, 1, Deadline::After(0)), 0u);
}

TEST(ThreadsEngine, SubmitAndReapReturnsTheEventsOfItsRequests) {
  const auto engine = MakeThreads();
  const TempFile file(Bytes(8));
  char data[8];
  Event events[2];
  const std::vector<Request> requests = {As(1, ReadAt(file.fd(), 0, data, 8)),
                                         As(2, Timeout(1000))};
  EXPECT_EQ(engine->SubmitAndReap(requests, events, 2, Patience()), 2u);
}

TEST(ThreadsEngine, WakeEndsAWaitingReapOrTheNextOneThatWouldWait) {
  const auto engine = MakeThreads();
  Event event;
  engine->Wake();
  engine->Submit(std::vector{Nop()});
  EXPECT_EQ(engine->Reap({&event, 1}, 1, Patience()), 1u)
      << "a Reap that does not wait keeps the wake for the next one";
  const int64_t before = MonotonicNow();
  EXPECT_EQ(engine->Reap({&event, 1}, 1, Patience()), 0u);
  const uint32_t asleep = ThreadsWithin(SYS_futex);
  std::thread reaper([&] { EXPECT_EQ(engine->Reap({&event, 1}, 1, Patience()), 0u); });
  EXPECT_TRUE(Eventually([&] { return ThreadsWithin(SYS_futex) > asleep; }));
  engine->Wake();
  reaper.join();
  EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
}

TEST(ThreadsEngine, EventFdIsReadableWhenReapMayReturnEvents) {
  const auto engine = MakeThreads();
  const TempFile file(Bytes(8));
  engine->Submit(std::vector{Nop()});
  Result<int> fd = engine->EventFd();
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ(engine->EventFd().value(), fd.value());
  Event event;
  for (int round = 0; round < 100; ++round) {
    pollfd poll_event = {fd.value(), POLLIN, 0};
    ASSERT_EQ(poll(&poll_event, 1, 20'000), 1) << "round " << round;
    uint64_t count = 0;
    ASSERT_EQ(read(fd.value(), &count, 8), 8);
    uint32_t reaped = 0;
    while (engine->Reap({&event, 1}, 0, Deadline::After(0)) == 1) ++reaped;
    EXPECT_GE(reaped, 1u);
    pollfd again = {fd.value(), POLLIN, 0};
    EXPECT_EQ(poll(&again, 1, 0), 0);
    engine->Submit(std::vector<Request>{{.opcode = Opcode::kFsync, .fd = file.fd()}});
  }
}

TEST(ThreadsEngine, LeavesNoThreadsAndNoDescriptors) {
  MakeThreads();  // opens the descriptors that the process opens only once
  const uint32_t descriptors = OpenDescriptors();
  const uint32_t threads = RunningThreads();
  {
    EngineOptions options;
    options.fixed_file_count = 4;
    Pipe pipe;
    char data[8];
    const auto engine = MakeThreads(options);
    ASSERT_EQ(engine->SetFile(0, pipe.read_end.get()), 0);
    ASSERT_TRUE(engine->EventFd().ok());
    engine->Submit(std::vector{ReadOf(pipe.read_end.get(), data, 8),
                               With(kRequestFixedFile, ReadOf(0, data, 8))});
    ExpectNone(*engine);
    ASSERT_EQ(engine->SetFile(0, -1), 0);
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_TRUE(Eventually([&] { return RunningThreads() == threads; }));
}

TEST(ThreadsEngine, EndsWithRequestsInFlight) {
  const TempFile file(Bytes(8));
  for (int round = 0; round < 20; ++round) {
    Pipe pipe;
    Terminal terminal;
    char data[4][8];
    const auto engine = MakeThreads();
    engine->Submit(std::vector{
        ReadOf(pipe.read_end.get(), data[0], 8), Timeout(kLong, kRequestLink), Nop(),
        ReadOf(terminal.slave.get(), data[1], 8), ReadOf(terminal.slave.get(), data[2], 8),
        Request{.opcode = Opcode::kFsync, .fd = file.fd()}, Nop(kRequestDrain), Nop()});
    if (round % 2 == 0) {
      Take(*engine, 1);
      ExpectNone(*engine);
    }
  }
}

TEST(ThreadsEngine, EndsWhileAWorkerWaitsForAPeerThatNeverComes) {
  Fifo fifo;
  auto engine = MakeThreads();
  engine->Submit(std::vector{OpenAt(fifo.c_str(), O_WRONLY | O_CREAT, 0600)});
  ASSERT_TRUE(Eventually([&] { return ThreadsWithin(SYS_openat) > 0; }));
  const int64_t before = MonotonicNow();
  engine.reset();
  EXPECT_LT(MonotonicNow() - before, 10'000'000'000);
}

TEST(ThreadsEngine, AForkedChildOnlyFreesItsCopy) {
  auto engine = MakeThreads();
  const TempFile file(Bytes(8));
  Pipe pipe;
  char data[8];
  engine->Submit(std::vector{As(1, ReadOf(pipe.read_end.get(), data, 8)), As(2, Timeout(kLong))});
  ExpectNone(*engine);
  EXPECT_EQ(InChild([&] {
              engine.reset();
              return std::string();
            }),
            "");
  ASSERT_EQ(write(pipe.write_end.get(), "abc", 3), 3);
  EXPECT_EQ(Take(*engine, 1).front().result, 3) << "the engine of the parent still works";
  EXPECT_EQ(Results(*engine, {{.opcode = Opcode::kFsync, .fd = file.fd()}}), Values({0}));
}

// With its default action, SIGPIPE would end the process.
TEST(ThreadsEngine, ABrokenPipeRaisesNoSignal) {
  EXPECT_EQ(InChild([] {
              signal(SIGPIPE, SIG_DFL);
              Pipe pipe;
              pipe.read_end.Reset();
              const auto engine = MakeThreads();
              const Values results = Results(*engine, {WriteOf(pipe.write_end.get(), "x", 1)});
              return results == Values({-EPIPE}) ? std::string()
                                                 : "result " + std::to_string(results.front());
            }),
            "");
}

std::atomic<pthread_t> signalled{};
void NoteThread(int) { signalled = pthread_self(); }

TEST(ThreadsEngine, SignalHandlersRunOnThreadsOfTheProcess) {
  const auto engine = MakeThreads();
  struct sigaction action = {};
  action.sa_handler = NoteThread;
  struct sigaction before = {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  for (int i = 0; i < 100; ++i) {
    signalled = pthread_t{};
    ASSERT_EQ(kill(getpid(), SIGUSR1), 0);
    ASSERT_TRUE(Eventually([] { return signalled != pthread_t{}; }));
    EXPECT_TRUE(pthread_equal(signalled, pthread_self()));
  }
  sigaction(SIGUSR1, &before, nullptr);
}

// Becomes an unprivileged user without other processes, limited to `process_count` threads.
bool BecomeLimitedUser(rlim_t process_count) {
  const rlimit limit = {process_count, process_count};
  return setrlimit(RLIMIT_NPROC, &limit) == 0 && setresuid(1'654'321, 1'654'321, 1'654'321) == 0;
}
bool CanBecomeLimitedUser() {
  const auto become = [] { return std::string(BecomeLimitedUser(4) ? "" : "cannot"); };
  return InChild(become).empty();
}

TEST(ThreadsEngine, StartsFewerWorkersUnderRlimitNproc) {
  SKIP_UNLESS(CanBecomeLimitedUser(), "root");
  EXPECT_EQ(InChild([] {
              if (!BecomeLimitedUser(4)) return std::string("cannot become another user");
              const auto engine = MakeThreads();
              if (engine == nullptr) return std::string("no engine");
              // The main thread and the poller thread are two; TSAN has one of its own.
              const uint32_t worker_count = engine->info().worker_count;
              if (worker_count < 1 || worker_count > 2) {
                return "worker_count " + std::to_string(worker_count);
              }
              return Results(*engine, {CloseOf(-1)}) == Values({-EBADF}) ? std::string()
                                                                         : "no result";
            }),
            "");
}

TEST(ThreadsEngine, FailsWithARemedyWhenNoWorkerCanBeStarted) {
  SKIP_UNLESS(CanBecomeLimitedUser(), "root");
  for (const rlim_t process_count : {1, 2}) {
    EXPECT_EQ(InChild([&] {
                if (!BecomeLimitedUser(process_count))
                  return std::string("cannot become another user");
                const Result<std::unique_ptr<Engine>> engine = CreateThreadsEngine({});
                if (engine.ok()) return std::string("the engine was created");
                if (engine.status().code() != Code::kExhausted)
                  return std::string(engine.status().message());
                return std::string(engine.status().remedy()).empty() ? std::string("no remedy")
                                                                     : "";
              }),
              "");
  }
}

TEST(ThreadsEngine, FailsWithExhaustedWithoutDescriptors) {
  EXPECT_EQ(InChild([] {
              const rlimit none = {0, 0};
              if (setrlimit(RLIMIT_NOFILE, &none) != 0) return std::string("setrlimit");
              const Result<std::unique_ptr<Engine>> engine = CreateThreadsEngine({});
              if (engine.ok()) return std::string("the engine was created");
              return engine.status().code() == Code::kExhausted ? std::string()
                                                                : engine.status().message();
            }),
            "");
}

}  // namespace
}  // namespace mooring
