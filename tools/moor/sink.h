// Sink: the target of a transfer: nothing, a file that is written at offsets, a stream such as a
// pipe, or a connection.
//
// Lifecycle: borrows a descriptor that its owner keeps open. Threading: a value.
#ifndef MOORING_TOOLS_MOOR_SINK_H_
#define MOORING_TOOLS_MOOR_SINK_H_

#include <string>

namespace moor {

struct Sink {
  int fd = -1;              // -1: the bytes are discarded
  bool positioned = false;  // writes have an offset, and holes are not written
  bool standard_output = false;
  bool socket = false;  // send instead of write
  std::string name;     // for messages
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SINK_H_
