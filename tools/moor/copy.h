// Copy: `moor copy SRC DST`.
#ifndef MOORING_TOOLS_MOOR_COPY_H_
#define MOORING_TOOLS_MOOR_COPY_H_

#include "tools/moor/options.h"

namespace moor {

// Throws Failure; then no file of the destination's name was made or changed.
void RunCopy(const CopyOptions& options);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_COPY_H_
