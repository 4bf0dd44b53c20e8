#include "cpp/engine/io_uring/submission_queue.h"

#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "cpp/base/check.h"

namespace mooring {
namespace {

uint64_t AddressOf(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

// Index: the lowest three bits of RequestFlags.
constexpr uint8_t kEntryFlags[8] = {
    0,
    IOSQE_IO_LINK,
    IOSQE_IO_DRAIN,
    IOSQE_IO_LINK | IOSQE_IO_DRAIN,
    IOSQE_FIXED_FILE,
    IOSQE_FIXED_FILE | IOSQE_IO_LINK,
    IOSQE_FIXED_FILE | IOSQE_IO_DRAIN,
    IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_IO_DRAIN,
};
static_assert(kRequestLink == 1 && kRequestDrain == 2 && kRequestFixedFile == 4);

void FillTransfer(io_uring_sqe* entry, const Request& request, uint8_t plain, uint8_t fixed) {
  DCHECK(request.size64 <= kTransferBytesMax);
  DCHECK(request.buffer_slot <= UINT16_MAX);
  entry->off = request.file_offset;  // kFileOffsetCurrent is -1, the same as in the kernel
  entry->addr = AddressOf(request.address);
  entry->len = static_cast<uint32_t>(request.size64);
  if (request.buffer_slot == kNoBufferSlot) {
    entry->opcode = plain;
  } else {
    entry->opcode = fixed;
    entry->buf_index = static_cast<uint16_t>(request.buffer_slot);
  }
}

// A file slot is not passed as a descriptor here: the kernel rejects IOSQE_FIXED_FILE, and a
// file_index of 0 means "no slot" (5.15).
void FillClose(io_uring_sqe* entry, const Request& request, bool closes_file_slots) {
  entry->opcode = IORING_OP_CLOSE;
  if ((request.flags & kRequestFixedFile) == 0) return;
  entry->flags &= static_cast<uint8_t>(~IOSQE_FIXED_FILE);
  entry->fd = closes_file_slots ? 0 : -1;
  entry->file_index = static_cast<uint32_t>(request.fd) + 1;
}

// Not all kernels add MSG_NOSIGNAL to a send.
void FillSocketTransfer(io_uring_sqe* entry, const Request& request) {
  DCHECK(request.size64 <= kTransferBytesMax);
  const bool is_send = request.opcode == Opcode::kSend;
  entry->opcode = is_send ? IORING_OP_SEND : IORING_OP_RECV;
  entry->addr = AddressOf(request.address);
  entry->len = static_cast<uint32_t>(request.size64);
  entry->msg_flags =
      static_cast<uint32_t>(request.parameter) | (is_send ? uint32_t{MSG_NOSIGNAL} : 0);
  if ((request.flags & kRequestMultishot) != 0) {
    entry->ioprio = IORING_RECV_MULTISHOT;
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = static_cast<uint16_t>(request.provided_group);
  }
  if (!is_send || request.buffer_slot == kNoBufferSlot) return;
  entry->opcode = IORING_OP_SEND_ZC;
  entry->ioprio = IORING_RECVSEND_FIXED_BUF | IORING_SEND_ZC_REPORT_USAGE;
  entry->buf_index = static_cast<uint16_t>(request.buffer_slot);
}

void FillMessage(io_uring_sqe* entry, const Request& request) {
  const bool is_send = request.opcode == Opcode::kSendmsg;
  entry->opcode = is_send ? IORING_OP_SENDMSG : IORING_OP_RECVMSG;
  entry->addr = AddressOf(request.address);
  entry->len = 1;
  entry->msg_flags =
      static_cast<uint32_t>(request.parameter) | (is_send ? uint32_t{MSG_NOSIGNAL} : 0);
}

// The kernel reads the mask as two 16-bit halves (IORING_FEAT_POLL_32BITS, 5.9; older kernels read
// only the first).
void FillPoll(io_uring_sqe* entry, const Request& request) {
  entry->opcode = IORING_OP_POLL_ADD;
  uint32_t events = static_cast<uint32_t>(request.parameter);
  if constexpr (std::endian::native == std::endian::big) events = events << 16 | events >> 16;
  entry->poll32_events = events;
}

}  // namespace

SubmissionQueue::SubmissionQueue(const Uring& uring, KernelQuirks quirks)
    : mask_(uring.params().sq_entries - 1),
      quirks_(quirks),
      tail_(*uring.ring().sq.ktail),
      entries_(uring.ring().sq.sqes),
      head_(uring.ring().sq.khead),
      kernel_tail_(uring.ring().sq.ktail),
      flags_(uring.ring().sq.kflags),
      timeouts_(new __kernel_timespec[uring.params().sq_entries]) {
  if (uring.HasFlag(IORING_SETUP_NO_SQARRAY)) return;
  // Position p is always entry p, so the array of indexes is written once.
  for (uint32_t i = 0; i <= mask_; ++i) uring.ring().sq.array[i] = i;
}

uint32_t SubmissionQueue::ChainLength(std::span<const Request> requests) {
  uint32_t length = 1;
  while (length < requests.size() && (requests[length - 1].flags & kRequestLink) != 0) ++length;
  return length;
}

// Inlined: a call would cost half as much as the body.
[[gnu::always_inline]] inline io_uring_sqe* SubmissionQueue::Push(const Request& request) {
  const uint32_t index = tail_++ & mask_;
  io_uring_sqe* const entry = &entries_[index];
  std::memset(entry, 0, sizeof(*entry));
  entry->flags = kEntryFlags[request.flags & 7];
  entry->fd = request.fd;
  entry->user_data = request.token;
  switch (request.opcode) {
    case Opcode::kNop:
      static_assert(IORING_OP_NOP == 0);
      break;
    case Opcode::kRead:
      FillTransfer(entry, request, IORING_OP_READ, IORING_OP_READ_FIXED);
      break;
    case Opcode::kWrite:
      FillTransfer(entry, request, IORING_OP_WRITE, IORING_OP_WRITE_FIXED);
      break;
    case Opcode::kTimeout:
      timeouts_[index] = {.tv_sec = static_cast<int64_t>(request.size64 / 1'000'000'000),
                          .tv_nsec = static_cast<int64_t>(request.size64 % 1'000'000'000)};
      entry->opcode = IORING_OP_TIMEOUT;
      entry->fd = -1;
      entry->addr = AddressOf(&timeouts_[index]);
      entry->len = 1;
      break;
    default:
      FillOther(entry, request);
  }
  return entry;
}

size_t SubmissionQueue::PushChains(std::span<const Request> requests) {
  const std::span<const Request> fitting =
      requests.first(std::min<size_t>(requests.size(), Room()));
  const Request* next = fitting.data();
  const Request* const end = next + fitting.size();
  while (next < end) {
    if ((next->flags & (kRequestLink | kRequestDrain)) == 0 && !next_needs_drain_) [[likely]] {
      Push(*next++);
      continue;
    }
    const uint32_t length =
        ChainLength(requests.subspan(static_cast<size_t>(next - requests.data())));
    if (length > end - next) break;
    for (uint32_t i = 0; i < length; ++i) PushInOrder(*next++);
  }
  return static_cast<size_t>(next - requests.data());
}

void SubmissionQueue::PushInOrder(const Request& request) {
  io_uring_sqe* const entry = Push(request);
  if (next_needs_drain_ || (request.flags & kRequestDrain) != 0) OrderAfterDrain(entry, request);
}

// io_uring_enter(2): requests after a drain start when the drain has completed. Kernels 5.15
// to 6.15 start them when the drain starts, and 6.1 even before it (measured). There the request
// after the drain gets a drain flag too, which delays it and all later ones. From 6.16 on the flag
// is not needed, and would make the later requests wait until that request completes.
void SubmissionQueue::OrderAfterDrain(io_uring_sqe* entry, const Request& request) {
  if (next_needs_drain_ && !chain_is_open_) {
    entry->flags |= IOSQE_IO_DRAIN;
    next_needs_drain_ = false;
  }
  if ((request.flags & kRequestDrain) != 0) {
    has_seen_drain_ = true;
    next_needs_drain_ = !quirks_.drain_blocks_later_requests;
  }
  chain_is_open_ = (request.flags & kRequestLink) != 0;
}

// The next request then follows the last one that the kernel has consumed.
void SubmissionQueue::Retract(uint32_t position) {
  tail_ = position;
  Publish();
  next_needs_drain_ = false;
  chain_is_open_ = false;
  for (uint32_t before = position - 1; position - before <= capacity(); --before) {
    if (before != position - 1 && (At(before).flags & IOSQE_IO_LINK) == 0) break;
    if ((At(before).flags & IOSQE_IO_DRAIN) != 0)
      next_needs_drain_ = !quirks_.drain_blocks_later_requests;
  }
}

// The SQPOLL thread may wake without us (for a signal that stops the process, or for task work).
// Then it clears its flag before it loads the tail, and sets the flag again after it has stored the
// head. So when the flag is set and the head is unchanged after our store, it has consumed nothing
// and will find nothing. Otherwise it is consuming entries, which are all still valid, and the tail
// is restored.
bool SubmissionQueue::HideFromSqpollThread() {
  const uint32_t before = head();
  __atomic_store_n(kernel_tail_, before, __ATOMIC_SEQ_CST);
  if (SqpollThreadSleeps() && head() == before) return true;
  __atomic_store_n(kernel_tail_, tail_, __ATOMIC_SEQ_CST);
  return false;
}

void SubmissionQueue::FillOther(io_uring_sqe* entry, const Request& request) const {
  const auto low = static_cast<uint32_t>(request.parameter);
  const auto high = static_cast<uint32_t>(request.parameter >> 32);
  switch (request.opcode) {
    case Opcode::kFsync:
      entry->opcode = IORING_OP_FSYNC;
      entry->fsync_flags = low == 1 ? IORING_FSYNC_DATASYNC : 0;
      break;
    case Opcode::kFallocate:
      entry->opcode = IORING_OP_FALLOCATE;
      entry->off = request.file_offset;
      entry->addr = request.size64;
      entry->len = low;
      break;
    case Opcode::kOpenat:
      entry->opcode = IORING_OP_OPENAT;
      entry->addr = AddressOf(request.address);
      entry->len = high;
      entry->open_flags = low;
      break;
    case Opcode::kStatx:
      entry->opcode = IORING_OP_STATX;
      entry->off = request.file_offset;
      entry->addr = AddressOf(request.address);
      entry->len = high;
      entry->statx_flags = low;
      break;
    case Opcode::kClose:
      FillClose(entry, request, quirks_.closes_file_slots);
      break;
    case Opcode::kSend:
    case Opcode::kRecv:
      FillSocketTransfer(entry, request);
      break;
    case Opcode::kSendmsg:
    case Opcode::kRecvmsg:
      FillMessage(entry, request);
      break;
    case Opcode::kAccept:
      entry->opcode = IORING_OP_ACCEPT;
      entry->addr = AddressOf(request.address);
      entry->addr2 = request.file_offset;
      entry->accept_flags = low;
      if ((request.flags & kRequestMultishot) != 0) entry->ioprio = IORING_ACCEPT_MULTISHOT;
      break;
    case Opcode::kConnect:
      entry->opcode = IORING_OP_CONNECT;
      entry->addr = AddressOf(request.address);
      entry->addr2 = request.size64;
      break;
    case Opcode::kShutdown:
      entry->opcode = IORING_OP_SHUTDOWN;
      entry->len = low;
      break;
    case Opcode::kPoll:
      FillPoll(entry, request);
      break;
    case Opcode::kCancel:
      entry->opcode = IORING_OP_ASYNC_CANCEL;
      entry->fd = -1;
      entry->addr = request.size64;
      break;
    default:
      CHECK(false);  // the caller must reject unknown opcodes
  }
}

}  // namespace mooring
