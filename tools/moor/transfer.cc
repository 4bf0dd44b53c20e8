#include "tools/moor/transfer.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "tools/moor/failure.h"
#include "tools/moor/interrupts.h"

namespace moor {
namespace {

// Holes need no chunk, so this limits the number of holes in the queue.
constexpr size_t kWaitingHolesMax = 64;
constexpr uint32_t kCompletionCount = 64;

// For a source in the page cache: 4 MiB in pieces of 512 KiB. More data would be evicted from the
// CPU cache before it is digested and written.
constexpr size_t kCachedItemsMax = 8;

// Maximum length of a chain of linked sends. The links keep their order.
constexpr size_t kSendChainMax = 16;

}  // namespace

Transfer::Transfer(Session& session, const WindowPlan& window, ReadPlan& plan, const Sink& sink,
                   Digest& digest, Progress& progress)
    : session_(session),
      plan_(plan),
      sink_(sink),
      digest_(digest),
      progress_(progress),
      pool_(session.slab(), window),
      completions_(kCompletionCount) {
  operations_.reserve(window.chunk_count);
}

uint64_t Transfer::Run() {
  for (;;) {
    ThrowIfInterrupted();
    Advance();
    StartReads();
    if (items_.empty() && plan_.finished()) {
      return bytes_;
    }
    if (in_flight_ > 0 || !operations_.empty()) {
      SubmitAndReap();
    }
    progress_.Update(bytes_);
  }
}

void Transfer::StartReads() {
  while (!pool_.empty() && waiting_hole_count_ < kWaitingHolesMax) {
    if (plan_.reads_from_cache() && items_.size() >= kCachedItemsMax) {
      return;
    }
    std::optional<Piece> piece = plan_.Next();
    if (!piece) {
      return;
    }
    Item& item = items_.emplace_back();
    item.piece = std::move(*piece);
    if (item.piece.hole) {
      item.state = State::kRead;
      ++waiting_hole_count_;
      continue;
    }
    item.chunk = pool_.Acquire();
    AddRead(item);
  }
}

void Transfer::AddRead(Item& item) {
  const Piece& piece = item.piece;
  const Chunk& chunk = pool_[item.chunk];
  const uint64_t left = piece.size - item.done;
  mooring_op_t operation = {};
  operation.opcode = MOORING_OPCODE_READ;
  if (piece.source->positioned()) {
    const ReadStep step =
        piece.source->NextRead(piece.offset + item.done, left, chunk.data + item.done);
    operation.fd = step.fd;
    operation.size = step.size;
    operation.file_offset = piece.offset + item.done;
    item.direct = step.direct;
  } else {
    operation.fd = piece.source->fd();
    operation.size = left;
    if (piece.source->is_socket()) {
      operation.opcode = MOORING_OPCODE_RECV;
    } else {
      operation.file_offset = MOORING_FILE_OFFSET_CURRENT;
    }
  }
  Add(operation, item);
}

void Transfer::AddWrite(Item& item) {
  mooring_op_t operation = {};
  operation.fd = sink_.fd;
  operation.size = item.piece.size - item.done;
  if (sink_.socket) {
    operation.opcode = MOORING_OPCODE_SEND;
    operation.parameter = MSG_WAITALL;
  } else {
    operation.opcode = MOORING_OPCODE_WRITE;
    operation.file_offset =
        sink_.positioned ? item.piece.offset + item.done : MOORING_FILE_OFFSET_CURRENT;
  }
  Add(operation, item);
}

void Transfer::Add(mooring_op_t operation, Item& item) {
  const mooring_lease_t& lease = pool_[item.chunk].lease;
  operation.registration = session_.registration();
  operation.lease_first_index = lease.first_index;
  operation.lease_generation = lease.generation;
  operation.offset = item.done;
  operation.user_data = reinterpret_cast<uintptr_t>(&item);
  operations_.push_back(operation);
}

void Transfer::SubmitAndReap() {
  uint32_t accepted = 0;
  uint32_t count = 0;
  const auto offered = static_cast<uint32_t>(operations_.size());
  mooring_error_t* error = mooring_ring_submit_and_reap(
      session_.ring(), operations_.data(), offered, &accepted, completions_.data(),
      kCompletionCount, 1, kInterruptCheckNanoseconds, &count);
  operations_.erase(operations_.begin(), operations_.begin() + accepted);
  in_flight_ += accepted;
  in_flight_ -= count;
  Check(error);
  for (uint32_t index = 0; index < count; ++index) {
    HandleCompletion(completions_[index]);
  }
}

void Transfer::HandleCompletion(const mooring_completion_t& completion) {
  Item& item = *reinterpret_cast<Item*>(static_cast<uintptr_t>(completion.user_data));
  if (item.state == State::kReading) {
    HandleReadCompletion(item, completion.result);
  } else {
    HandleWriteCompletion(item, completion.result);
  }
}

void Transfer::HandleReadCompletion(Item& item, int64_t result) {
  Piece& piece = item.piece;
  if (result < 0) {
    HandleReadError(item, static_cast<int>(-result));
    return;
  }
  const auto bytes = static_cast<uint64_t>(result);
  if (!piece.source->positioned()) {
    plan_.SequentialReadDone(bytes);
    piece.size = bytes;
    item.state = State::kRead;
    return;
  }
  if (bytes == 0) {
    piece.source->ThrowShrank(piece.offset + item.done);
  }
  if (item.direct) {
    piece.source->RecordDirectRead();
  }
  item.done += bytes;
  if (item.done < piece.size) {
    AddRead(item);
  } else {
    item.state = State::kRead;
  }
}

void Transfer::HandleReadError(Item& item, int error) {
  const Piece& piece = item.piece;
  if (error == EINTR) {
    AddRead(item);
    return;
  }
  if (error == EAGAIN) {
    // The descriptor is non-blocking.
    WaitReady(piece.source->fd(), POLLIN);
    AddRead(item);
    return;
  }
  if (error == EINVAL && item.direct && piece.source->FallBackToBuffered()) {
    AddRead(item);
    return;
  }
  ThrowSystemError(error, (piece.source->is_socket() ? "cannot receive from '" : "cannot read '") +
                              piece.source->name() + "' at byte " +
                              std::to_string(piece.offset + item.done));
}

void Transfer::HandleWriteCompletion(Item& item, int64_t result) {
  --writes_in_flight_;
  item.state = State::kWaitingToWrite;
  if (result < 0) {
    HandleWriteError(item, static_cast<int>(-result));
    return;
  }
  if (result == 0) {
    HandleWriteError(item, EIO);  // write(2) returns 0 only for an empty write
  }
  item.done += static_cast<uint64_t>(result);
  if (item.done == item.piece.size) {
    item.state = State::kDone;
  }
}

void Transfer::HandleWriteError(Item& item, int error) {
  if (error == EPIPE && sink_.standard_output) {
    throw BrokenPipe();
  }
  if (sink_.socket && error == ECANCELED) {
    return;  // the send before it in the chain was short; it is submitted again first
  }
  if (sink_.socket && error == EPIPE) {
    error = ECONNRESET;  // both mean that the peer closed the connection
  }
  if (error == EAGAIN) {
    WaitReady(sink_.fd, POLLOUT);
  } else if (error != EINTR) {
    ThrowSystemError(error, (sink_.socket ? "cannot send to '" : "cannot write '") + sink_.name +
                                "' at byte " + std::to_string(item.piece.offset + item.done));
  }
}

void Transfer::Advance() {
  while (digested_count_ < items_.size() && items_[digested_count_].state == State::kRead) {
    DigestItem(items_[digested_count_]);
    ++digested_count_;
  }
  if (writes_in_flight_ == 0) {
    StartWrites();
  }
  RetireFinished();
}

// The items before digested_count_ are ready to be written. A file or a pipe gets one write at a
// time: the data in a pipe has an order, and a file has one lock for buffered writers, so that
// concurrent writes would wait for each other. A connection gets a chain of linked sends, which
// keeps the order.
void Transfer::StartWrites() {
  const size_t write_count_max = sink_.socket ? kSendChainMax : 1;
  for (size_t index = 0; index < digested_count_ && writes_in_flight_ < write_count_max; ++index) {
    Item& item = items_[index];
    if (item.state == State::kWaitingToWrite) {
      if (writes_in_flight_ > 0) {
        operations_.back().flags |= MOORING_OPERATION_LINK;
      }
      item.state = State::kWriting;
      ++writes_in_flight_;
      AddWrite(item);
    }
  }
}

void Transfer::DigestItem(Item& item) {
  const Piece& piece = item.piece;
  if (piece.hole) {
    digest_.UpdateZeros(piece.size);
    hole_bytes_ += piece.size;
    --waiting_hole_count_;
  } else {
    digest_.Update(pool_[item.chunk].data, piece.size);
  }
  bytes_ += piece.size;
  if (piece.last) {
    piece.source->CheckNotTruncated();
  }
  item.done = 0;
  const bool to_write = sink_.fd >= 0 && !piece.hole && piece.size > 0;
  item.state = to_write ? State::kWaitingToWrite : State::kDone;
}

void Transfer::RetireFinished() {
  while (digested_count_ > 0 && items_.front().state == State::kDone) {
    if (!items_.front().piece.hole) {
      pool_.Release(items_.front().chunk);
    }
    items_.pop_front();
    --digested_count_;
  }
}

void Transfer::WaitReady(int fd, short events) {
  struct pollfd ready = {.fd = fd, .events = events, .revents = 0};
  while (::poll(&ready, 1, kInterruptCheckMilliseconds) <= 0) {
    ThrowIfInterrupted();
  }
}

}  // namespace moor
