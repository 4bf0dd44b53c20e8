// CommandLine: parses arguments into options. The only user of CLI11.
//
// Threading: any thread; holds no state.
//
//   Command command = ParseCommandLine(argc, argv);
#ifndef MOORING_TOOLS_MOOR_COMMAND_LINE_H_
#define MOORING_TOOLS_MOOR_COMMAND_LINE_H_

#include "tools/moor/options.h"

namespace moor {

// Throws UsageFailure if the arguments are not a valid command line of this tool.
Command ParseCommandLine(int argc, const char* const* argv);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_COMMAND_LINE_H_
