// Transfer: keeps many reads in flight. The data is added to the digest in file order and then
// written or discarded. Read, digest and write use the same chunk of memory without copies.
//
//   free -> reading -> read -> (in file order: digest) -> waiting to write -> writing -> free
//
// After a short read or a short write, the rest is submitted again. If a direct read fails, the
// data is read through the page cache. A signal is checked ten times per second.
//
// Lifecycle: call Run once. It throws on the first failure; the caller must then stop the session
// before it closes files. Threading: the thread of the session.
//
//   Transfer transfer(session, window, plan, sink, digest, progress);
//   uint64_t bytes = transfer.Run();
#ifndef MOORING_TOOLS_MOOR_TRANSFER_H_
#define MOORING_TOOLS_MOOR_TRANSFER_H_

#include <cstdint>
#include <deque>
#include <vector>

#include <mooring/mooring.h>

#include "tools/moor/chunk_pool.h"
#include "tools/moor/digest.h"
#include "tools/moor/memory_plan.h"
#include "tools/moor/progress.h"
#include "tools/moor/read_plan.h"
#include "tools/moor/session.h"
#include "tools/moor/sink.h"

namespace moor {

class Transfer {
 public:
  Transfer(Session& session, const WindowPlan& window, ReadPlan& plan, const Sink& sink,
           Digest& digest, Progress& progress);

  // Returns the number of transferred bytes, including holes.
  uint64_t Run();

  uint64_t hole_bytes() const { return hole_bytes_; }

 private:
  enum class State { kReading, kRead, kWaitingToWrite, kWriting, kDone };

  // A piece in progress. Its address is the user_data of its operation: a deque does not move its
  // elements.
  struct Item {
    Piece piece;
    uint32_t chunk = 0;   // not used for a hole
    uint64_t done = 0;    // bytes read, then bytes written
    bool direct = false;  // whether the read in flight is direct
    State state = State::kReading;
  };

  void StartReads();
  void AddRead(Item& item);
  void AddWrite(Item& item);
  // Adds the next operation of `item`, with the memory of its chunk.
  void Add(mooring_op_t operation, Item& item);
  void SubmitAndReap();
  void HandleCompletion(const mooring_completion_t& completion);
  void HandleReadCompletion(Item& item, int64_t result);
  void HandleWriteCompletion(Item& item, int64_t result);
  void HandleReadError(Item& item, int error);
  void HandleWriteError(Item& item, int error);
  void Advance();
  void StartWrites();
  void DigestItem(Item& item);
  void RetireFinished();
  void WaitReady(int fd, short events);

  Session& session_;
  ReadPlan& plan_;
  const Sink sink_;
  Digest& digest_;
  Progress& progress_;
  ChunkPool pool_;

  std::deque<Item> items_;                // in file order
  size_t digested_count_ = 0;             // the first items of items_ are digested
  std::vector<mooring_op_t> operations_;  // to submit
  std::vector<mooring_completion_t> completions_;
  uint64_t in_flight_ = 0;
  size_t waiting_hole_count_ = 0;
  size_t writes_in_flight_ = 0;
  uint64_t bytes_ = 0;
  uint64_t hole_bytes_ = 0;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_TRANSFER_H_
