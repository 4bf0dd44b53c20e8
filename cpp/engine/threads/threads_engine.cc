#include "cpp/engine/threads/threads_engine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>
#include <utility>

#include "cpp/base/deadline.h"
#include "cpp/engine/threads/futex.h"
#include "cpp/engine/threads/scheduler.h"
#include "cpp/engine/threads/thread.h"
#include "cpp/os/process.h"
#include "cpp/os/thread_token.h"

namespace mooring {
namespace {

constexpr uint32_t kWorkersMin = 4;
constexpr uint32_t kWorkersByCpusMax = 32;
constexpr uint32_t kWorkersMax = 256;

// The time that the destructor waits for workers before it interrupts their system calls.
constexpr int64_t kStopTimeoutNs = 50'000'000;

// The number of CPUs that this process may use.
uint32_t CpuCount() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<uint32_t>(CPU_COUNT(&set));
  // There are more CPUs than a cpu_set_t can hold.
  return static_cast<uint32_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
}

uint32_t WorkersWanted(const EngineOptions& options, uint32_t cpu_count) {
  if (options.worker_count > 0) return std::min(options.worker_count, kWorkersMax);
  // Two workers for each CPU, because a worker waits for the disk about half of the time. With few
  // CPUs, kWorkersMin.
  return std::clamp(2 * cpu_count, kWorkersMin, kWorkersByCpusMax);
}

class ThreadsEngine final : public Engine {
 public:
  ThreadsEngine() = default;
  ~ThreadsEngine() override;
  Status Create(const EngineOptions& options);

  EngineCounters counters() const override;
  bool IsOwner() const override { return !info_.owner_thread || CurrentThread() == creator_; }
  bool WorksOnThisThread() const override { return true; }
  void Submit(std::span<const Request> requests) override { scheduler_.Submit(requests); }
  uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) override {
    return scheduler_.events().Reap(events, min_count, deadline);
  }
  uint32_t SubmitAndReap(std::span<const Request> requests, std::span<Event> events,
                         uint32_t min_count, Deadline deadline) override {
    scheduler_.Submit(requests);
    return scheduler_.events().Reap(events, min_count, deadline);
  }
  void Wake() override { scheduler_.events().Wake(); }
  void WakeAndSignal() override { scheduler_.events().WakeAndSignal(); }
  int UpdateBuffers(uint32_t, std::span<const iovec>, std::span<const uint64_t>) override {
    return -EOPNOTSUPP;
  }
  int UnregisterBuffers() override { return 0; }
  int SetFile(uint32_t index, int fd) override { return scheduler_.files().Set(index, fd); }
  Result<int> EventFd() override { return scheduler_.events().EventFd(); }

 private:
  struct alignas(64) Worker {
    Thread thread;
    ThreadsEngine* engine = nullptr;
    std::atomic<uint64_t> run_count{0};
  };

  Status StartThreads(uint32_t worker_count);
  void StopThreads();
  void DescribeTo(EngineInfo& info, const EngineOptions& options) const;

  const ProcessToken process_ = CurrentProcess();
  const ThreadToken creator_ = CurrentThread();
  Scheduler scheduler_;
  std::atomic<uint32_t> running_count_{0};  // workers that have not ended; also a futex
  Thread poller_thread_;
  std::unique_ptr<Worker[]> workers_;
  uint32_t worker_count_ = 0;  // workers that were started
};

Status ThreadsEngine::Create(const EngineOptions& options) {
  RETURN_IF_ERROR(scheduler_.Create({.in_flight_max = std::max(options.in_flight_max, 1u),
                                     .chain_length_max = options.submission_count,
                                     .fixed_file_count = options.fixed_file_count}));
  const uint32_t cpu_count = CpuCount();
  RETURN_IF_ERROR(StartThreads(WorkersWanted(options, cpu_count)));
  scheduler_.SetWorkers(worker_count_, cpu_count);
  DescribeTo(info_, options);
  return OkStatus();
}

void ThreadsEngine::DescribeTo(EngineInfo& info, const EngineOptions& options) const {
  info.kind = EngineKind::kThreads;
  info.submission_count = options.submission_count;
  info.completion_count = options.completion_count;
  info.fixed_buffer_count = 0;
  info.table_error = EOPNOTSUPP;
  info.fixed_file_count = options.fixed_file_count;
  info.worker_count = worker_count_;
  info.owner_thread = options.owner_thread;
  info.sqpoll = false;
}

Status ThreadsEngine::StartThreads(uint32_t worker_count) {
  constexpr char kRemedy[] =
      "raise RLIMIT_NPROC or the pids limit of the container, or end other threads";
  workers_.reset(new (std::nothrow) Worker[worker_count]);
  if (!workers_) {
    return ErrnoStatus(ENOMEM, "cannot allocate the workers of a threads engine",
                       "ask for fewer workers (worker_count)");
  }
  int error = poller_thread_.Start(
      "mooring-poller",
      [](void* engine) {
        while (static_cast<ThreadsEngine*>(engine)->scheduler_.RunPoller()) {
        }
      },
      this);
  if (error != 0) return ErrnoStatus(-error, "cannot start the poller thread", kRemedy);
  for (; worker_count_ < worker_count; ++worker_count_) {
    Worker& worker = workers_[worker_count_];
    worker.engine = this;
    running_count_.fetch_add(1, std::memory_order_relaxed);
    error = worker.thread.Start(
        "mooring-worker",
        [](void* argument) {
          Worker& self = *static_cast<Worker*>(argument);
          while (self.engine->scheduler_.RunReady(self.run_count)) {
          }
          self.engine->running_count_.fetch_sub(1, std::memory_order_release);
          FutexWake(self.engine->running_count_, 1);
        },
        &worker);
    if (error != 0) {
      running_count_.fetch_sub(1, std::memory_order_relaxed);
      break;
    }
  }
  if (worker_count_ == 0) return ErrnoStatus(-error, "cannot start a worker thread", kRemedy);
  return OkStatus();
}

ThreadsEngine::~ThreadsEngine() {
  // After fork(2) the threads exist in the parent only, together with the locks that they held and
  // the data that they were changing. Memory and descriptors here are copies: the members free
  // them.
  if (CurrentProcess() == process_) StopThreads();
}

void ThreadsEngine::StopThreads() {
  scheduler_.StopWorkers();
  const Deadline deadline = Deadline::After(kStopTimeoutNs);
  uint32_t running = running_count_.load(std::memory_order_acquire);
  while (running > 0 && !deadline.Passed()) {
    FutexWait(running_count_, running, deadline);
    running = running_count_.load(std::memory_order_acquire);
  }
  // The remaining workers wait for a disk, or for a peer that may never come.
  for (uint32_t i = 0; running > 0 && i < worker_count_; ++i) workers_[i].thread.Interrupt();
  for (uint32_t i = 0; i < worker_count_; ++i) workers_[i].thread.Join();
  if (!poller_thread_.started()) return;
  scheduler_.StopPoller();
  poller_thread_.Join();
}

EngineCounters ThreadsEngine::counters() const {
  EngineCounters counters;
  for (uint32_t i = 0; i < worker_count_; ++i) {
    counters.system_calls += workers_[i].run_count.load(std::memory_order_relaxed);
  }
  return counters;
}

}  // namespace

Result<std::unique_ptr<Engine>> CreateThreadsEngine(const EngineOptions& options) {
  std::unique_ptr<ThreadsEngine> engine(new (std::nothrow) ThreadsEngine());
  if (!engine) {
    return ErrnoStatus(ENOMEM, "cannot allocate a threads engine", "free memory in this process");
  }
  RETURN_IF_ERROR(engine->Create(options));
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace mooring
