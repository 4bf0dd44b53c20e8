// Sink: where a transfer writes: nowhere, to places in a file, to the position of a pipe, or into a
// connection.
//
// Lifecycle: lends a descriptor that its owner keeps open. Threading: a value.
#ifndef MOORING_TOOLS_MOOR_SINK_H_
#define MOORING_TOOLS_MOOR_SINK_H_

#include <string>

namespace moor {

struct Sink {
  int fd = -1;              // -1: the bytes go nowhere
  bool positioned = false;  // writes name their offset, and leave out holes
  bool standard_output = false;
  bool socket = false;  // sends, and not writes
  std::string name;     // for messages
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SINK_H_
