// MultishotStarter: fills in the next request of a multishot operation, with a buffer if it
// receives.
//
// Threading: called on the submission side.
//
//   Request request;
//   // False: no buffer is free. The registration wakes the ring when one may be.
//   if (!starter.Start(index, &request)) ...
#ifndef MOORING_CPP_RING_MULTISHOT_STARTER_H_
#define MOORING_CPP_RING_MULTISHOT_STARTER_H_

#include <cstdint>

#include "cpp/engine/request.h"
#include "cpp/registration/registration.h"
#include "cpp/ring/multishot_table.h"
#include "cpp/ring/operation.h"
#include "cpp/ring/record_pool.h"

namespace mooring {

class MultishotStarter {
 public:
  // `features` are the engine's.
  MultishotStarter(RecordPool& records, MultishotTable& table, uint64_t features)
      : records_(records), table_(table), features_(features) {}

  // Fills in the entry and the record of a new operation, which the caller has checked. Adds a
  // reference to its registration.
  void Begin(const Operation& operation, uint32_t index);
  // False if no buffer is free. A request that only ends the operation needs none.
  bool Start(uint32_t index, Request* out_request);

 private:
  // These two are false if no buffer is free.
  static bool Fill(Registration* registration, Multishot& multishot, Request& request);
  static bool TakeMemory(Registration& registration, Multishot& multishot, Request& request);

  RecordPool& records_;
  MultishotTable& table_;
  const uint64_t features_;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_MULTISHOT_STARTER_H_
