// DirectPolicy: whether a file is read past the page cache (O_DIRECT), and why not.
//
// Direct reads are the faster ones for a large file that is not cached, and the slower ones for one
// that is. So `auto` asks how the file may be read directly (statx(2), STATX_DIOALIGN, Linux 6.1; a
// trial where the kernel cannot tell), how large it is and how much of it is cached. `on` takes the
// first question only, and fails where the answer is no.
//
// Threading: pure but for the questions that it asks of the kernel.
#ifndef MOORING_TOOLS_MOOR_DIRECT_POLICY_H_
#define MOORING_TOOLS_MOOR_DIRECT_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tools/moor/options.h"

namespace moor {

// direct.reason of the report; the names are part of the contract (docs/MOOR.md).
enum class DirectReason {
  kNone,          // read directly
  kPolicy,        // --direct off
  kNotRegular,    // a pipe, a terminal, a file of /proc
  kEmpty,         // nothing to read
  kSmallFile,     // auto: too small to gain; on: smaller than one block
  kCached,        // auto: most of it is in the page cache
  kNotSupported,  // this filesystem has no direct reads
  kNotAligned,    // buffers are smaller than one block
  kRefused,       // auto: the filesystem promised them, and then answered EINVAL
};

const char* DirectReasonName(DirectReason reason);

// How several files together were read.
struct DirectSummary {
  bool used = false;                          // at least one read was direct
  DirectReason reason = DirectReason::kNone;  // of the first file that was not read directly

  // An empty file says nothing about the others.
  void Note(DirectReason why_not) {
    if (reason == DirectReason::kNone || reason == DirectReason::kEmpty) {
      reason = why_not == DirectReason::kNone ? reason : why_not;
    }
  }
};

// What a direct read has to keep to, in bytes.
struct DirectAlignment {
  uint32_t memory = 0;
  uint32_t offset = 0;
};

// What the kernel says of `fd`: nothing where it does not support direct I/O.
std::optional<DirectAlignment> FindDirectAlignment(int fd);

// The smallest file that `auto` reads directly: below, opening a second descriptor and losing
// readahead costs more than it gains.
inline constexpr uint64_t kDirectFileBytesMin = UINT64_C(8) << 20;

// Whether at least half of the first `size` bytes of `fd` are in the page cache. True also where
// the kernel gives no way to know: buffered reads are then the safe choice.
bool IsMostlyCached(int fd, uint64_t size);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DIRECT_POLICY_H_
