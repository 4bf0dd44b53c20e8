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

// A descriptor may be reported ready and yet have no room for what is to be written (an eventfd
// that is almost full). After so many waits for nothing a work pauses, so that this costs no CPU.
constexpr uint8_t kFruitlessMax = 8;
constexpr int64_t kPauseNs = 1'000'000;
// Until a descriptor is tried again that could not be watched for a shortage.
constexpr int64_t kShortagePauseNs = 5'000'000;

// From a link on, the next request belongs to the same chain.
size_t ChainLength(std::span<const Request> requests) {
  size_t length = 1;
  while (length < requests.size() && (requests[length - 1].flags & kRequestLink) != 0) ++length;
  return length;
}

bool HasDrain(std::span<const Request> chain) {
  return std::any_of(chain.begin(), chain.end(),
                     [](const Request& request) { return (request.flags & kRequestDrain) != 0; });
}

// Only this lets a chain go on.
bool SucceededInFull(const Request& request, int32_t result) {
  switch (request.opcode) {
    case Opcode::kRead:
    case Opcode::kWrite:
    case Opcode::kSend:
    case Opcode::kSendmsg:
    case Opcode::kRecvmsg:
    case Opcode::kRecv:  // with MSG_TRUNC it may tell of more than was asked for
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

// Events of requests that completed within Submit; they are published together.
class Dispatcher::EventBatch {
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

Status Dispatcher::Create(const Limits& limits) {
  chain_length_max_ = limits.chain_length_max;
  RETURN_IF_ERROR(pool_.Create(limits.in_flight_max));
  RETURN_IF_ERROR(events_.Create());
  RETURN_IF_ERROR(files_.Create(limits.fixed_file_count, limits.in_flight_max));
  return waiter_.Create();
}

Dispatcher::~Dispatcher() {
  for (uint32_t i = 0; i < pool_.used_count(); ++i) {
    if (pool_[i].watch_fd >= 0) ::close(pool_[i].watch_fd);
  }
}

void Dispatcher::Submit(std::span<const Request> requests) {
  pool_.Reclaim();
  cached_reads_.BeginBatch(requests.size() == 1 && order_.NothingInFlight());
  EventBatch at_once(events_);
  WorkList ready;
  while (!requests.empty()) {
    const size_t length = ChainLength(requests);
    Accept(requests.first(length), at_once, ready);
    requests = requests.subspan(length);
  }
  at_once.Flush();
  Settle(ready);
  queue_.Push(ready);
}

void Dispatcher::Accept(std::span<const Request> chain, EventBatch& at_once, WorkList& ready) {
  const Request& first = chain.front();
  const bool drain = HasDrain(chain);
  const bool alone = chain.size() == 1;
  if (alone && !drain && first.opcode == Opcode::kCancel) return CancelAtOnce(first, ready);
  const uint32_t length = static_cast<uint32_t>(chain.size());
  if (!alone && length > chain_length_max_) return Refuse(chain, at_once);
  const bool now = order_.Accept(length, drain);
  if (now && alone) {
    if (first.opcode == Opcode::kNop) return at_once.Add(first.token, 0);
    if (ReadAtOnce(first)) return at_once.Add(first.token, static_cast<int32_t>(first.size64));
    return Start(pool_.Take(first, WorkState::kRunning), ready);
  }
  Work* const head = TakeChain(chain);
  if (now) return StartHeld(head, ready);
  order_.Hold(head, length, drain);
}

bool Dispatcher::ReadAtOnce(const Request& request) {
  if ((request.flags & kRequestFixedFile) == 0) return cached_reads_.Try(request, request.fd);
  FixedFile* const file = files_.Acquire(request.fd);
  if (file == nullptr) return false;
  const bool read = cached_reads_.Try(request, file->fd);
  files_.Release(file);
  return read;
}

// The same answer from both engines: io_uring could not keep such a chain in one piece.
void Dispatcher::Refuse(std::span<const Request> chain, EventBatch& at_once) {
  order_.CountOutsiders(static_cast<uint32_t>(chain.size()));
  for (const Request& request : chain) at_once.Add(request.token, -EINVAL);
}

void Dispatcher::CancelAtOnce(const Request& request, WorkList& ready) {
  // What came before it in this batch is then where it can be taken out again.
  queue_.Push(ready);
  order_.CountOutsiders(1);
  const Event event = {request.token, CancelByToken(request.size64, nullptr, ready), 0};
  events_.Publish(std::span<const Event>(&event, 1));
}

Work* Dispatcher::TakeChain(std::span<const Request> chain) {
  Work* head = nullptr;
  Work** link = &head;
  for (const Request& request : chain) {
    *link = pool_.Take(request, WorkState::kHeld);
    link = &(*link)->chain_next;
  }
  return head;
}

void Dispatcher::Start(Work* work, WorkList& ready) { StartHeld(StartOne(work, ready), ready); }

void Dispatcher::StartHeld(Work* work, WorkList& ready) {
  while (work != nullptr) {
    work = work->Move(WorkState::kHeld, WorkState::kRunning) ? StartOne(work, ready)
                                                             : Finish(work, -ECANCELED, ready);
  }
}

// Returns the next of the chain if this one has completed already.
Work* Dispatcher::StartOne(Work* work, WorkList& ready) {
  const Request& request = work->request;
  switch (request.opcode) {
    case Opcode::kNop:
      return Finish(work, 0, ready);
    case Opcode::kCancel:
      return Finish(work, CancelByToken(request.size64, work, ready), ready);
    case Opcode::kTimeout:
      if (waiter_.AddTimer(work, TimeAfter(request.size64))) return nullptr;
      return Finish(work, -ECANCELED, ready);
    default:
      if (const int32_t error = ResolveFile(work); error != 0) return Finish(work, error, ready);
      if (!work->Move(WorkState::kRunning, WorkState::kQueued)) {
        return Finish(work, -ECANCELED, ready);
      }
      ready.PushBack(work);
      return nullptr;
  }
}

// The file is that of the moment at which the request starts, as in io_uring.
int32_t Dispatcher::ResolveFile(Work* work) {
  const Request& request = work->request;
  if ((request.flags & kRequestFixedFile) == 0 || IsFixedClose(request)) return 0;
  // Their descriptor is a directory; io_uring takes none from the table there either.
  if (request.opcode == Opcode::kOpenat || request.opcode == Opcode::kStatx) return -EBADF;
  work->file = files_.Acquire(request.fd);
  if (work->file == nullptr) return -EBADF;
  work->fd = work->file->fd;
  return 0;
}

bool Dispatcher::RunReady(std::atomic<uint64_t>& run_count) {
  Work* batch[kBatchMax];
  const uint32_t count = queue_.Pop(batch);
  uint64_t run = run_count.load(std::memory_order_relaxed);
  WorkList ready;
  for (uint32_t i = 0; i < count; ++i) Run(batch[i], ready);
  run += count;
  // What followed from these: one of them stays here, the others must not wait for it.
  while (!ready.empty() && !queue_.stopped()) {
    Work* const work = ready.PopFront();
    queue_.Push(ready);
    Run(work, ready);
    ++run;
  }
  run_count.store(run, std::memory_order_relaxed);
  return count > 0;
}

void Dispatcher::Run(Work* work, WorkList& ready) {
  bool mine = work->Move(WorkState::kQueued, WorkState::kRunning);
  if (!mine) FinishCancelled(work, ready);
  while (mine) {
    Outcome outcome;
    if (IsFixedClose(work->request)) {
      outcome.result = files_.Close(static_cast<uint32_t>(work->request.fd));
    } else if (IsSocketOpcode(work->request.opcode)) {
      const uint32_t moved_before = work->moved_bytes;
      outcome =
          ExecuteSocket(work->request, work->current_fd(), work->attempt, work->moved_bytes);
      if (work->moved_bytes != moved_before) work->fruitless_count = 0;
    } else {
      outcome = Execute(work->request, work->current_fd(), work->attempt);
    }
    switch (outcome.step) {
      case Outcome::Step::kDone:
        StartHeld(Finish(work, outcome.result, ready), ready);
        mine = false;
        break;
      case Outcome::Step::kTakeTurn:
        mine = TakeTurn(work, ready);
        break;
      case Outcome::Step::kWait:
        mine = WaitFor(work, outcome.events, ready);
        break;
    }
  }
  Settle(ready);
}

// Both return true when the work is to be tried again at once.

bool Dispatcher::TakeTurn(Work* work, WorkList& ready) {
  const Turns::Taken taken = turns_.Take(work);
  if (taken == Turns::Taken::kParked) return false;
  // Through the list once more: from here on it may block, and is to have nothing of a batch behind
  // it.
  if (taken == Turns::Taken::kYes && work->Move(WorkState::kRunning, WorkState::kQueued)) {
    ready.PushBack(work);
  } else {
    FinishCancelled(work, ready);
  }
  return false;
}

bool Dispatcher::WaitFor(Work* work, uint32_t events, WorkList& ready) {
  if (++work->fruitless_count > kFruitlessMax) {
    work->fruitless_count = 0;
    Pause(work, kPauseNs, ready);
    return false;
  }
  switch (waiter_.Watch(work, events)) {
    case Waiter::Watched::kYes:
      return false;
    case Waiter::Watched::kReady:
      return true;
    case Waiter::Watched::kNotNow:
      // On the clock it can be cancelled, and keeps no worker.
      Pause(work, kShortagePauseNs, ready);
      return false;
    case Waiter::Watched::kCannot:
      work->attempt = Attempt::kBlocking;
      return true;
    case Waiter::Watched::kCancelled:
      break;
  }
  FinishCancelled(work, ready);
  return false;
}

void Dispatcher::Pause(Work* work, int64_t pause_ns, WorkList& ready) {
  if (!waiter_.AddTimer(work, TimeAfter(static_cast<uint64_t>(pause_ns))))
    FinishCancelled(work, ready);
}

bool Dispatcher::WaitOnce() {
  WorkList ready;
  WorkList expired;
  const bool running = waiter_.Next(ready, expired);
  while (Work* const work = expired.PopFront()) {
    if (work->request.opcode == Opcode::kTimeout) {
      Finish(work, -ETIME, ready);
    } else if (work->Move(WorkState::kRunning, WorkState::kQueued)) {
      ready.PushBack(work);  // its pause is over
    } else {
      FinishCancelled(work, ready);
    }
  }
  Settle(ready);
  queue_.Push(ready);
  return running;
}

Work* Dispatcher::Finish(Work* work, int32_t result, WorkList& ready) {
  if (work->has_turn) {
    if (Work* const next_turn = turns_.Pass(work)) ready.PushBack(next_turn);
  }
  waiter_.Unwatch(work);
  if (FixedFile* const file = std::exchange(work->file, nullptr)) files_.Release(file);
  const bool succeeded = SucceededInFull(work->request, result);
  Work* next = work->chain_next;
  Publish(work, result);
  if (succeeded) return next;
  while (next != nullptr) {
    Work* const cancelled = next;
    next = next->chain_next;
    Publish(cancelled, -ECANCELED);
  }
  return nullptr;
}

void Dispatcher::FinishCancelled(Work* work, WorkList& ready) {
  // What a send or receive has moved is told, or it would be lost.
  const auto moved = static_cast<int32_t>(work->moved_bytes);
  Work* const next = Finish(work, moved > 0 ? moved : -ECANCELED, ready);
  CHECK(next == nullptr);
}

void Dispatcher::Publish(Work* work, int32_t result) {
  // Once it is published it may be taken anew.
  const uint64_t token = work->request.token;
  const uint32_t word = work->word.load(std::memory_order_relaxed);
  work->word.store(Work::WithState(word, WorkState::kFree), std::memory_order_release);
  events_.Publish(token, result, *work);
}

void Dispatcher::Settle(WorkList& ready) {
  // Each may complete at once, and so release the next.
  while (Work* const head = order_.Release()) StartHeld(head, ready);
}

int32_t Dispatcher::CancelByToken(uint64_t token, const Work* self, WorkList& ready) {
  const Canceller::Answer answer = canceller_.Cancel(token, self);
  if (answer.to_finish != nullptr) FinishCancelled(answer.to_finish, ready);
  return answer.result;
}

}  // namespace mooring
