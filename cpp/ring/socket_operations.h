// The rules of the socket opcodes and of POLL, beyond those of all opcodes.
//
// Threading: called on the submission side.
#ifndef MOORING_CPP_RING_SOCKET_OPERATIONS_H_
#define MOORING_CPP_RING_SOCKET_OPERATIONS_H_

#include "cpp/base/status.h"
#include "cpp/engine/request.h"
#include "cpp/ring/operation.h"
#include "cpp/ring/record_pool.h"
#include "cpp/ring/zero_copy_hints.h"

namespace mooring {

// Returns why the operation is refused, or null.
const ErrorDetail* CheckSocketOperation(const Operation& operation);

// Completes a request after the steps that all opcodes share. `hints` is null if the engine has no
// zero-copy send. Returns why the operation is refused, or null.
const ErrorDetail* FinishSocketRequest(ZeroCopyHints* hints, Record& record, Request& request);

}  // namespace mooring

#endif  // MOORING_CPP_RING_SOCKET_OPERATIONS_H_
