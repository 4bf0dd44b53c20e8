// Copy: `moor copy SRC DST`.
#ifndef MOORING_TOOLS_MOOR_COPY_H_
#define MOORING_TOOLS_MOOR_COPY_H_

#include "tools/moor/options.h"

namespace moor {

// Throws Failure; in that case the destination was neither created nor changed.
void RunCopy(const CopyOptions& options);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_COPY_H_
