// Transfer: the window: many reads under way, their bytes digested in the order of the files, then
// written or dropped. A chunk of memory is read into, digested from and written from; nothing is
// copied in between.
//
//   free -> reading -> read -> (its turn: digest) -> waiting to write -> writing -> free
//
// What comes back short is asked for again, what a direct read cannot do is read through the page
// cache, and a signal is looked for ten times a second.
//
// Lifecycle: Run once. It throws on the first failure; the caller then stops the session before it
// closes files. Threading: the thread of the session.
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

  // Returns the bytes that went through, holes included.
  uint64_t Run();

  uint64_t hole_bytes() const { return hole_bytes_; }

 private:
  enum class State { kReading, kRead, kWaitingToWrite, kWriting, kDone };

  // A piece on its way. Its address is the user_data of its operation: a deque moves nothing.
  struct Item {
    Piece piece;
    uint32_t chunk = 0;   // none for a hole
    uint64_t done = 0;    // bytes read, then bytes written
    bool direct = false;  // how the read under way is made
    State state = State::kReading;
  };

  void StartReads();
  void AddRead(Item& item);
  void AddWrite(Item& item);
  // The next operation of `item`, in its chunk.
  void Add(mooring_op_t operation, Item& item);
  void SubmitAndReap();
  void Settle(const mooring_completion_t& completion);
  void SettleRead(Item& item, int64_t result);
  void SettleWrite(Item& item, int64_t result);
  void ReadFailed(Item& item, int error);
  void WriteFailed(Item& item, int error);
  void Advance();
  void StartWrites();
  void Digested(Item& item);
  void RetireFinished();
  void WaitReady(int fd, short events);

  Session& session_;
  ReadPlan& plan_;
  const Sink sink_;
  Digest& digest_;
  Progress& progress_;
  ChunkPool pool_;

  std::deque<Item> items_;                // in the order of the files
  size_t digested_count_ = 0;             // of items_, from the front
  std::vector<mooring_op_t> operations_;  // to be submitted
  std::vector<mooring_completion_t> completions_;
  uint64_t in_flight_ = 0;
  size_t waiting_hole_count_ = 0;
  size_t writes_under_way_ = 0;
  uint64_t bytes_ = 0;
  uint64_t hole_bytes_ = 0;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_TRANSFER_H_
