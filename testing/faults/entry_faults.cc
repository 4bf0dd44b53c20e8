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

// What there is of a queue when its ring is gone is never looked at: its descriptor's number comes
// back with another ring, which is remembered in its place.
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

bool MayBeStruck(uint8_t opcode) {
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

void Strike(io_uring_sqe* entry) {
  if (!MayBeStruck(entry->opcode)) return;
  // The kernel would call half of what a link asks for the whole, and go on with the chain.
  const bool divisible = MovesBytes(entry->opcode) && (entry->flags & IOSQE_IO_LINK) == 0;
  const int fault = Ask(CallKind::kEntry, divisible ? entry->len : 0);
  if (fault == kShort) {
    entry->len /= 2;
  } else if (fault > 0) {
    MakeFail(entry, fault);
  }
}

thread_local bool sqpoll_thread_rests = false;

// Found out on a ring that has nothing to do.
bool SleepShows() {
  io_uring ring = {};
  io_uring_params params = {};
  params.flags = IORING_SETUP_SQPOLL;
  params.sq_thread_idle = 1;
  if (io_uring_queue_init_params(2, &ring, &params) != 0) return false;
  constexpr std::chrono::seconds kLongEnough{2};
  const bool shows = conformance::Eventually(
      [&] { return conformance::SqpollThreadSleeps(ring.ring_fd); }, kLongEnough);
  io_uring_queue_exit(&ring);
  return shows;
}

}  // namespace

bool CanStrikeEntries() {
  io_uring ring = {};
  if (io_uring_queue_init(2, &ring, 0) != 0) return false;
  io_uring_sqe* const entry = io_uring_get_sqe(&ring);
  io_uring_prep_nop(entry);
  MakeFail(entry, EIO);
  io_uring_cqe* answer = nullptr;
  const bool can = io_uring_submit_and_wait(&ring, 1) == 1 &&
                   io_uring_peek_cqe(&ring, &answer) == 0 && answer->res == -EIO;
  io_uring_queue_exit(&ring);
  return can;
}

SqpollThreadRest::SqpollThreadRest() {
  static const bool shows = SleepShows();
  const int fd = TheQueues().last_polled_fd;
  sqpoll_thread_rests =
      shows && conformance::Eventually([&] { return conformance::SqpollThreadSleeps(fd); });
}

SqpollThreadRest::~SqpollThreadRest() { sqpoll_thread_rests = false; }

void RememberQueue(const io_uring& ring) {
  Queues& queues = TheQueues();
  const std::lock_guard lock(queues.mutex);
  const bool polled = (ring.flags & IORING_SETUP_SQPOLL) != 0;
  queues.by_fd[ring.ring_fd] = {.entries = ring.sq, .polled = polled};
  if (polled) queues.last_polled_fd = ring.ring_fd;
}

// The array of indexes, where there is one, names entry p at position p (SubmissionQueue).
void StrikeEntries(int ring_fd, uint32_t count) {
  Queues& queues = TheQueues();
  const std::lock_guard lock(queues.mutex);
  const auto found = queues.by_fd.find(ring_fd);
  if (found == queues.by_fd.end()) return;
  if (found->second.polled && !(sqpoll_thread_rests && conformance::SqpollThreadSleeps(ring_fd)))
    return;
  const io_uring_sq& queue = found->second.entries;
  const uint32_t head = __atomic_load_n(queue.khead, __ATOMIC_ACQUIRE);
  const uint32_t ready = __atomic_load_n(queue.ktail, __ATOMIC_RELAXED) - head;
  for (uint32_t i = 0; i < std::min(count, ready); ++i) {
    Strike(&queue.sqes[(head + i) & *queue.kring_mask]);
  }
}

}  // namespace mooring::faults
