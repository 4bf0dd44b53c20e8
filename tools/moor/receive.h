// Receive: `moor receive PORT DST`.
#ifndef MOORING_TOOLS_MOOR_RECEIVE_H_
#define MOORING_TOOLS_MOOR_RECEIVE_H_

#include "tools/moor/options.h"

namespace moor {

// Throws Failure.
void RunReceive(const ReceiveOptions& options);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_RECEIVE_H_
