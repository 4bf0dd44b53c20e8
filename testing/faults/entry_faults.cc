#include "testing/faults/entry_faults.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>

#include "testing/faults/fault_plan.h"
#include "testing/support/eventually.h"
#include "testing/support/proc_self.h"

namespace mooring::faults {
namespace {

// linux/io_uring.h of 6.10.
constexpr uint32_t kNopInjectResult = 1u << 0;

// The record of a queue whose ring is destroyed is never read: when its descriptor's number is
// used again, the record of the new ring replaces it.
struct Queue {
  io_uring_sq entries;
  bool polled = false;
};

struct Queues {
  std::mutex mutex;
  std::map<int, Queue> by_fd;
  int last_polled_fd = -1;
};

Queues& TheQueues() {
  static Queues queues;
  return queues;
}

bool MovesBytes(uint8_t opcode) {
  switch (opcode) {
    case IORING_OP_READ:
    case IORING_OP_WRITE:
    case IORING_OP_READ_FIXED:
    case IORING_OP_WRITE_FIXED:
    case IORING_OP_SEND:
    case IORING_OP_RECV:
    case IORING_OP_SEND_ZC:
      return true;
    default:
      return false;
  }
}

bool MayFail(uint8_t opcode) {
  return opcode != IORING_OP_NOP && opcode != IORING_OP_ASYNC_CANCEL && opcode != IORING_OP_CLOSE;
}

void MakeFail(io_uring_sqe* entry, int error) {
  const uint8_t flags = entry->flags & (IOSQE_IO_LINK | IOSQE_IO_DRAIN);
  const uint64_t user_data = entry->user_data;
  *entry = {};
  entry->opcode = IORING_OP_NOP;
  entry->flags = flags;
  entry->fd = -1;
  entry->rw_flags = static_cast<int>(kNopInjectResult);
  entry->len = static_cast<uint32_t>(-error);
  entry->user_data = user_data;
}

void InjectFault(io_uring_sqe* entry) {
  if (!MayFail(entry->opcode)) return;
  // For a link with half of its length, the kernel would count half as complete and continue the
  // chain.
  const bool divisible = MovesBytes(entry->opcode) && (entry->flags & IOSQE_IO_LINK) == 0;
  const int fault = FaultFor(CallKind::kEntry, divisible ? entry->len : 0);
  if (fault == kShort) {
    entry->len /= 2;
  } else if (fault > 0) {
    MakeFail(entry, fault);
  }
}

thread_local bool sqpoll_thread_sleeps = false;

// Tries it on a ring without work.
bool SleepIsReported() {
  io_uring ring = {};
  io_uring_params params = {};
  params.flags = IORING_SETUP_SQPOLL;
  params.sq_thread_idle = 1;
  if (io_uring_queue_init_params(2, &ring, &params) != 0) return false;
  constexpr std::chrono::seconds kLongEnough{2};
  const bool reported = conformance::Eventually(
      [&] { return conformance::SqpollThreadSleeps(ring.ring_fd); }, kLongEnough);
  io_uring_queue_exit(&ring);
  return reported;
}

}  // namespace

bool CanInjectEntryFaults() {
  io_uring ring = {};
  if (io_uring_queue_init(2, &ring, 0) != 0) return false;
  io_uring_sqe* const entry = io_uring_get_sqe(&ring);
  io_uring_prep_nop(entry);
  MakeFail(entry, EIO);
  io_uring_cqe* completion = nullptr;
  const bool can = io_uring_submit_and_wait(&ring, 1) == 1 &&
                   io_uring_peek_cqe(&ring, &completion) == 0 && completion->res == -EIO;
  io_uring_queue_exit(&ring);
  return can;
}

SqpollThreadSleep::SqpollThreadSleep() {
  static const bool reported = SleepIsReported();
  const int fd = TheQueues().last_polled_fd;
  sqpoll_thread_sleeps =
      reported && conformance::Eventually([&] { return conformance::SqpollThreadSleeps(fd); });
}

SqpollThreadSleep::~SqpollThreadSleep() { sqpoll_thread_sleeps = false; }

void RememberQueue(const io_uring& ring) {
  Queues& queues = TheQueues();
  const std::lock_guard lock(queues.mutex);
  const bool polled = (ring.flags & IORING_SETUP_SQPOLL) != 0;
  queues.by_fd[ring.ring_fd] = {.entries = ring.sq, .polled = polled};
  if (polled) queues.last_polled_fd = ring.ring_fd;
}

// The array of indexes, where there is one, has index p at position p (SubmissionQueue).
void InjectEntryFaults(int ring_fd, uint32_t count) {
  Queues& queues = TheQueues();
  const std::lock_guard lock(queues.mutex);
  const auto found = queues.by_fd.find(ring_fd);
  if (found == queues.by_fd.end()) return;
  if (found->second.polled && !(sqpoll_thread_sleeps && conformance::SqpollThreadSleeps(ring_fd)))
    return;
  const io_uring_sq& queue = found->second.entries;
  const uint32_t head = __atomic_load_n(queue.khead, __ATOMIC_ACQUIRE);
  const uint32_t ready = __atomic_load_n(queue.ktail, __ATOMIC_RELAXED) - head;
  for (uint32_t i = 0; i < std::min(count, ready); ++i) {
    InjectFault(&queue.sqes[(head + i) & *queue.kring_mask]);
  }
}

}  // namespace mooring::faults
