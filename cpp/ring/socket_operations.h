// What the opcodes of sockets, and POLL, ask of an operation beyond what all do.
//
// Threading: any.
#ifndef MOORING_CPP_RING_SOCKET_OPERATIONS_H_
#define MOORING_CPP_RING_SOCKET_OPERATIONS_H_

#include "cpp/base/status.h"
#include "cpp/engine/request.h"
#include "cpp/ring/operation.h"
#include "cpp/ring/record_pool.h"
#include "cpp/ring/zero_copy_hints.h"

namespace mooring {

// Why it is refused, or null.
const ErrorDetail* CheckSocketOperation(const Operation& operation);

// Makes of a request that has been filled in as any other what the engine is to see. `hints` is
// null where the engine has no zero-copy send. Why it is refused, or null.
const ErrorDetail* FinishSocketRequest(ZeroCopyHints* hints, Record& record, Request& request);

}  // namespace mooring

#endif  // MOORING_CPP_RING_SOCKET_OPERATIONS_H_
