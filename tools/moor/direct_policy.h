// DirectPolicy: whether a file is read with direct I/O (O_DIRECT, without the page cache), and if
// not, why.
//
// Direct reads are faster for a large file that is not cached and slower for a cached file. So
// `auto` checks whether the file supports direct reads (statx(2), STATX_DIOALIGN, Linux 6.1; a
// trial open if the kernel does not report it), how large it is and how much of it is cached. `on`
// makes only the first check, and fails if direct reads are not supported.
//
// Threading: no state; the functions make system calls.
#ifndef MOORING_TOOLS_MOOR_DIRECT_POLICY_H_
#define MOORING_TOOLS_MOOR_DIRECT_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tools/moor/options.h"

namespace moor {

// The field direct.reason of the report. The names are public (docs/MOOR.md).
enum class DirectReason {
  kNone,          // read directly
  kPolicy,        // --direct off
  kNotRegular,    // a pipe, a terminal, a file of /proc
  kEmpty,         // nothing to read
  kSmallFile,     // auto: too small to benefit; on: smaller than one block
  kCached,        // auto: most of it is in the page cache
  kNotSupported,  // the filesystem has no direct reads
  kNotAligned,    // buffers are smaller than one block
  kRefused,       // auto: the filesystem reported support, but a read returned EINVAL
};

const char* DirectReasonName(DirectReason reason);

// Summary for all files of a command.
struct DirectSummary {
  bool used = false;                          // at least one read was direct
  DirectReason reason = DirectReason::kNone;  // of the first file that was not read directly

  // Keeps the first reason, but replaces kEmpty by the reason of another file.
  void Record(DirectReason why_not) {
    if (reason == DirectReason::kNone || reason == DirectReason::kEmpty) {
      reason = why_not == DirectReason::kNone ? reason : why_not;
    }
  }
};

// The alignment that direct reads need, in bytes.
struct DirectAlignment {
  uint32_t memory = 0;
  uint32_t offset = 0;
};

// The alignment for direct reads of `fd`, or nothing if it does not support direct I/O.
std::optional<DirectAlignment> FindDirectAlignment(int fd);

// The smallest file that `auto` reads directly. For a smaller file, the second open and the loss of
// readahead cost more than direct reads save.
inline constexpr uint64_t kDirectFileBytesMin = UINT64_C(8) << 20;

// Whether at least half of the first `size` bytes of `fd` are in the page cache. Also true if the
// kernel does not report it: buffered reads are then the safe choice.
bool IsMostlyCached(int fd, uint64_t size);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DIRECT_POLICY_H_
