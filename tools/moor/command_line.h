// CommandLine: from arguments to options. The only user of CLI11.
//
// Threading: any thread; keeps nothing.
//
//   Command command = ParseCommandLine(argc, argv);
#ifndef MOORING_TOOLS_MOOR_COMMAND_LINE_H_
#define MOORING_TOOLS_MOOR_COMMAND_LINE_H_

#include "tools/moor/options.h"

namespace moor {

// Throws UsageFailure for anything that is not a command line of this tool.
Command ParseCommandLine(int argc, const char* const* argv);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_COMMAND_LINE_H_
