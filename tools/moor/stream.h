// Stream: `moor stream FILE...`.
#ifndef MOORING_TOOLS_MOOR_STREAM_H_
#define MOORING_TOOLS_MOOR_STREAM_H_

#include "tools/moor/options.h"

namespace moor {

// Throws Failure.
void RunStream(const StreamOptions& options);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_STREAM_H_
