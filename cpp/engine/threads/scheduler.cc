#include "cpp/engine/threads/scheduler.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "cpp/base/check.h"
#include "cpp/base/deadline.h"
#include "cpp/engine/threads/execute.h"
#include "cpp/engine/threads/sockets.h"

namespace mooring {
namespace {

constexpr uint32_t kBatchMax = 8;

// poll(2) may report a descriptor ready that has no room for the write (an eventfd that is almost
// full). After this many wakes in a row without progress a task pauses, so that it uses no CPU
// time.
constexpr uint8_t kSpuriousWakesMax = 8;
constexpr int64_t kPauseNs = 1'000'000;
// Time until a task is tried again whose descriptor could not be watched because of a shortage.
constexpr int64_t kShortagePauseNs = 5'000'000;

// The number of requests in the first chain: each link joins the next request to it.
size_t ChainLength(std::span<const Request> requests) {
  size_t length = 1;
  while (length < requests.size() && (requests[length - 1].flags & kRequestLink) != 0) ++length;
  return length;
}

bool HasDrain(std::span<const Request> chain) {
  return std::any_of(chain.begin(), chain.end(),
                     [](const Request& request) { return (request.flags & kRequestDrain) != 0; });
}

// True if the chain of the request continues.
bool SucceededInFull(const Request& request, int32_t result) {
  switch (request.opcode) {
    case Opcode::kRead:
    case Opcode::kWrite:
    case Opcode::kSend:
    case Opcode::kSendmsg:
    case Opcode::kRecvmsg:
    case Opcode::kRecv:  // MSG_TRUNC may return more than the size asked for
      return result >= 0 && static_cast<uint64_t>(result) >= request.size64;
    default:
      return result >= 0;
  }
}

int64_t TimeAfter(uint64_t timeout_ns) {
  const int64_t now = MonotonicNow();
  const uint64_t most = static_cast<uint64_t>(Timers::kNever - now);
  return timeout_ns >= most ? Timers::kNever : now + static_cast<int64_t>(timeout_ns);
}

bool IsFixedClose(const Request& request) {
  return request.opcode == Opcode::kClose && (request.flags & kRequestFixedFile) != 0;
}

}  // namespace

// Events of requests that complete within Submit. They are published together.
class Scheduler::EventBatch {
 public:
  explicit EventBatch(EventQueue& queue) : queue_(queue) {}
  void Add(uint64_t token, int32_t result) {
    events_[count_++] = Event{token, result, 0};
    if (count_ == std::size(events_)) Flush();
  }
  void Flush() { queue_.Publish(std::span<const Event>(events_, std::exchange(count_, 0))); }

 private:
  EventQueue& queue_;
  Event events_[32];
  size_t count_ = 0;
};

Status Scheduler::Create(const Limits& limits) {
  chain_length_max_ = limits.chain_length_max;
  RETURN_IF_ERROR(pool_.Create(limits.in_flight_max));
  RETURN_IF_ERROR(events_.Create());
  RETURN_IF_ERROR(files_.Create(limits.fixed_file_count, limits.in_flight_max));
  return poller_.Create();
}

Scheduler::~Scheduler() {
  for (uint32_t i = 0; i < pool_.used_count(); ++i) {
    if (pool_[i].watch_fd >= 0) ::close(pool_[i].watch_fd);
  }
}

void Scheduler::Submit(std::span<const Request> requests) {
  pool_.CollectFreed();
  cached_reads_.BeginBatch(requests.size() == 1 && drain_gate_.NothingInFlight());
  EventBatch completed(events_);
  TaskList ready;
  while (!requests.empty()) {
    const size_t length = ChainLength(requests);
    Accept(requests.first(length), completed, ready);
    requests = requests.subspan(length);
  }
  completed.Flush();
  StartReleased(ready);
  queue_.Push(ready);
}

void Scheduler::Accept(std::span<const Request> chain, EventBatch& completed, TaskList& ready) {
  const Request& first = chain.front();
  const bool drain = HasDrain(chain);
  const bool alone = chain.size() == 1;
  if (alone && !drain && first.opcode == Opcode::kCancel) return CancelNow(first, ready);
  const uint32_t length = static_cast<uint32_t>(chain.size());
  if (!alone && length > chain_length_max_) return RejectChain(chain, completed);
  const bool now = drain_gate_.Accept(length, drain);
  if (now && alone) {
    if (first.opcode == Opcode::kNop) return completed.Add(first.token, 0);
    if (ReadCached(first)) return completed.Add(first.token, static_cast<int32_t>(first.size64));
    return Start(pool_.Take(first, TaskState::kRunning), ready);
  }
  Task* const head = TakeChain(chain);
  if (now) return StartHeld(head, ready);
  drain_gate_.Hold(head, length, drain);
}

bool Scheduler::ReadCached(const Request& request) {
  if ((request.flags & kRequestFixedFile) == 0) return cached_reads_.Try(request, request.fd);
  FixedFile* const file = files_.Acquire(request.fd);
  if (file == nullptr) return false;
  const bool read = cached_reads_.Try(request, file->fd);
  files_.Release(file);
  return read;
}

// Both engines give the same result: io_uring cannot keep such a chain in one piece.
void Scheduler::RejectChain(std::span<const Request> chain, EventBatch& completed) {
  drain_gate_.CountUnordered(static_cast<uint32_t>(chain.size()));
  for (const Request& request : chain) completed.Add(request.token, -EINVAL);
}

void Scheduler::CancelNow(const Request& request, TaskList& ready) {
  // Earlier requests of this batch go to the queue first, where they can be found and removed.
  queue_.Push(ready);
  drain_gate_.CountUnordered(1);
  const Event event = {request.token, CancelByToken(request.size64, nullptr, ready), 0};
  events_.Publish(std::span<const Event>(&event, 1));
}

Task* Scheduler::TakeChain(std::span<const Request> chain) {
  Task* head = nullptr;
  Task** link = &head;
  for (const Request& request : chain) {
    *link = pool_.Take(request, TaskState::kHeld);
    link = &(*link)->chain_next;
  }
  return head;
}

void Scheduler::Start(Task* task, TaskList& ready) { StartHeld(StartOne(task, ready), ready); }

void Scheduler::StartHeld(Task* task, TaskList& ready) {
  while (task != nullptr) {
    task = task->Move(TaskState::kHeld, TaskState::kRunning) ? StartOne(task, ready)
                                                             : Finish(task, -ECANCELED, ready);
  }
}

// Returns the next task of the chain if this one has completed already.
Task* Scheduler::StartOne(Task* task, TaskList& ready) {
  const Request& request = task->request;
  switch (request.opcode) {
    case Opcode::kNop:
      return Finish(task, 0, ready);
    case Opcode::kCancel:
      return Finish(task, CancelByToken(request.size64, task, ready), ready);
    case Opcode::kTimeout:
      if (poller_.AddTimer(task, TimeAfter(request.size64))) return nullptr;
      return Finish(task, -ECANCELED, ready);
    default:
      if (const int32_t error = ResolveFile(task); error != 0) return Finish(task, error, ready);
      if (!task->Move(TaskState::kRunning, TaskState::kQueued)) {
        return Finish(task, -ECANCELED, ready);
      }
      ready.PushBack(task);
      return nullptr;
  }
}

// As in io_uring, a request uses the file that the slot holds when the request starts.
int32_t Scheduler::ResolveFile(Task* task) {
  const Request& request = task->request;
  if ((request.flags & kRequestFixedFile) == 0 || IsFixedClose(request)) return 0;
  // The descriptor of these is a directory, which io_uring does not take from the table either.
  if (request.opcode == Opcode::kOpenat || request.opcode == Opcode::kStatx) return -EBADF;
  task->file = files_.Acquire(request.fd);
  if (task->file == nullptr) return -EBADF;
  task->fd = task->file->fd;
  return 0;
}

bool Scheduler::RunReady(std::atomic<uint64_t>& run_count) {
  Task* batch[kBatchMax];
  const uint32_t count = queue_.Pop(batch);
  uint64_t run = run_count.load(std::memory_order_relaxed);
  TaskList ready;
  for (uint32_t i = 0; i < count; ++i) Run(batch[i], ready);
  run += count;
  // Tasks that became ready: this worker keeps one, the others must not wait for it.
  while (!ready.empty() && !queue_.stopped()) {
    Task* const task = ready.PopFront();
    queue_.Push(ready);
    Run(task, ready);
    ++run;
  }
  run_count.store(run, std::memory_order_relaxed);
  return count > 0;
}

void Scheduler::Run(Task* task, TaskList& ready) {
  bool mine = task->Move(TaskState::kQueued, TaskState::kRunning);
  if (!mine) FinishCancelled(task, ready);
  while (mine) {
    Outcome outcome;
    if (IsFixedClose(task->request)) {
      outcome.result = files_.Close(static_cast<uint32_t>(task->request.fd));
    } else if (IsSocketOpcode(task->request.opcode)) {
      const uint32_t moved_before = task->moved_bytes;
      outcome = ExecuteSocket(task->request, task->current_fd(), task->attempt, task->moved_bytes);
      if (task->moved_bytes != moved_before) task->spurious_wakes = 0;
    } else {
      outcome = Execute(task->request, task->current_fd(), task->attempt);
    }
    switch (outcome.step) {
      case Outcome::Step::kDone:
        StartHeld(Finish(task, outcome.result, ready), ready);
        mine = false;
        break;
      case Outcome::Step::kNeedsExclusivePoll:
        mine = AcquireExclusivePoll(task, ready);
        break;
      case Outcome::Step::kNotReady:
        mine = WaitUntilReady(task, outcome.events, ready);
        break;
    }
  }
  StartReleased(ready);
}

// The next two functions return true if the caller tries the task again immediately.

bool Scheduler::AcquireExclusivePoll(Task* task, TaskList& ready) {
  const ExclusivePoll::AcquireResult taken = exclusive_poll_.Acquire(task);
  if (taken == ExclusivePoll::AcquireResult::kParked) return false;
  // The task goes through the queue once more: it may block from here on, and no other task of a
  // batch may be behind it.
  if (taken == ExclusivePoll::AcquireResult::kAcquired &&
      task->Move(TaskState::kRunning, TaskState::kQueued)) {
    ready.PushBack(task);
  } else {
    FinishCancelled(task, ready);
  }
  return false;
}

bool Scheduler::WaitUntilReady(Task* task, uint32_t events, TaskList& ready) {
  if (++task->spurious_wakes > kSpuriousWakesMax) {
    task->spurious_wakes = 0;
    Pause(task, kPauseNs, ready);
    return false;
  }
  switch (poller_.Watch(task, events)) {
    case Poller::WatchResult::kWatching:
      return false;
    case Poller::WatchResult::kReady:
      return true;
    case Poller::WatchResult::kShortage:
      // In the timers it can be cancelled and keeps no worker.
      Pause(task, kShortagePauseNs, ready);
      return false;
    case Poller::WatchResult::kUnwatchable:
      task->attempt = Attempt::kBlocking;
      return true;
    case Poller::WatchResult::kCancelled:
      break;
  }
  FinishCancelled(task, ready);
  return false;
}

void Scheduler::Pause(Task* task, int64_t pause_ns, TaskList& ready) {
  if (!poller_.AddTimer(task, TimeAfter(static_cast<uint64_t>(pause_ns))))
    FinishCancelled(task, ready);
}

bool Scheduler::RunPoller() {
  TaskList ready;
  TaskList expired;
  const bool running = poller_.Poll(ready, expired);
  while (Task* const task = expired.PopFront()) {
    if (task->request.opcode == Opcode::kTimeout) {
      Finish(task, -ETIME, ready);
    } else if (task->Move(TaskState::kRunning, TaskState::kQueued)) {
      ready.PushBack(task);  // the end of a pause
    } else {
      FinishCancelled(task, ready);
    }
  }
  StartReleased(ready);
  queue_.Push(ready);
  return running;
}

Task* Scheduler::Finish(Task* task, int32_t result, TaskList& ready) {
  if (task->holds_exclusive_poll) {
    if (Task* const next_holder = exclusive_poll_.Release(task)) ready.PushBack(next_holder);
  }
  poller_.Unwatch(task);
  if (FixedFile* const file = std::exchange(task->file, nullptr)) files_.Release(file);
  const bool succeeded = SucceededInFull(task->request, result);
  Task* next = task->chain_next;
  Publish(task, result);
  if (succeeded) return next;
  while (next != nullptr) {
    Task* const cancelled = next;
    next = next->chain_next;
    Publish(cancelled, -ECANCELED);
  }
  return nullptr;
}

void Scheduler::FinishCancelled(Task* task, TaskList& ready) {
  // The bytes that a send or receive has moved are reported, otherwise they would be lost.
  const auto moved = static_cast<int32_t>(task->moved_bytes);
  Task* const next = Finish(task, moved > 0 ? moved : -ECANCELED, ready);
  CHECK(next == nullptr);
}

void Scheduler::Publish(Task* task, int32_t result) {
  // After the publication the task may be taken for another request.
  const uint64_t token = task->request.token;
  const uint32_t word = task->word.load(std::memory_order_relaxed);
  task->word.store(Task::WithState(word, TaskState::kFree), std::memory_order_release);
  events_.Publish(token, result, *task);
}

void Scheduler::StartReleased(TaskList& ready) {
  // Each chain may complete immediately and so release the next.
  while (Task* const head = drain_gate_.Release()) StartHeld(head, ready);
}

int32_t Scheduler::CancelByToken(uint64_t token, const Task* self, TaskList& ready) {
  const Canceller::CancelResult cancelled = canceller_.Cancel(token, self);
  if (cancelled.to_finish != nullptr) FinishCancelled(cancelled.to_finish, ready);
  return cancelled.error;
}

}  // namespace mooring
