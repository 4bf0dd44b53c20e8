// Sink: where a transfer writes, one write at a time: nowhere, to places in a file, or to the position
// of a pipe.
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
  std::string name;         // for messages
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SINK_H_
