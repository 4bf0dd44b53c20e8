// batch.h: operations for one submit, each with a flight that holds the expected result.
//
// Threading: the submitter of the ring.
#ifndef MOORING_TESTING_RANDOM_BATCH_H_
#define MOORING_TESTING_RANDOM_BATCH_H_

#include <mooring/mooring.h>

#include <cstdint>
#include <vector>

#include "testing/random/decisions.h"
#include "testing/random/flights.h"
#include "testing/random/registrations.h"
#include "testing/support/operations.h"

namespace mooring::workload {

// How operations name memory: see operation.h of the library.
enum class Naming { kLease, kSlab, kAddress };

// The memory of a batch, from which its operations take parts.
struct Ground {
  Arena* arena = nullptr;
  NamedSlab* registration = nullptr;
  SharedLease lease;
  Naming naming = Naming::kLease;
  bool is_released_early = false;
  uint64_t used = 0;

  uint64_t left() const { return lease->size - used; }
};

class Batch {
 public:
  explicit Batch(Flights& flights) : flights_(flights) {}

  bool AddNop();
  bool AddFsync(int fd);
  bool AddTimeout(uint64_t nanoseconds, Aim aim);
  bool AddPoll(int fd);
  bool AddCancel(uint64_t user_data);
  // `fd` is an index of the file table if `flags` say so.
  bool AddPatternRead(int fd, mooring_operation_flags_t flags, Decisions& decisions,
                      Ground& ground);
  bool AddWrite(int fd, uint64_t file_offset, Block& block, uint64_t seed, uint64_t size,
                Ground& ground);
  bool AddReadBack(int fd, uint64_t file_offset, Block& block, Ground& ground);
  bool AddSend(Channel& channel, mooring_send_t kind, uint64_t size, Ground& ground);
  bool AddReceive(Channel& channel, int message_flags, uint64_t size, Ground& ground);
  bool AddRepeatedReceive(Channel& channel, Arena& arena, NamedSlab& registration);

  // Links all operations into one chain.
  void Link();
  void DrainLast();

  const std::vector<mooring_op_t>& operations() const { return operations_; }
  // Removes the operations from `accepted` on, which were not accepted.
  void Recall(uint32_t accepted);

 private:
  Flight* Add(mooring_op_t operation, Aim aim);
  Flight* AddTransfer(mooring_op_t operation, Aim aim, uint64_t size, Ground& ground);
  static conformance::Place PlaceOf(const Ground& ground);

  Flights& flights_;
  std::vector<mooring_op_t> operations_;
  std::vector<Flight*> launched_;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_BATCH_H_
