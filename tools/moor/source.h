// Source: an input of a transfer: a file, a pipe, a device, standard input or a connection.
//
// A positioned source (a regular file, a block device) has a size, and its reads have an offset, so
// many reads can be in flight. Data that is appended later is not read. Any other source is read at
// its file position, one read at a time, to its end.
//
// Lifecycle: FindSource checks a path without opening it, because an open may wait for the writer
// of a pipe and all other checks must come before. Open opens it. It is closed when the last piece
// of it is destroyed. Threading: one owner.
#ifndef MOORING_TOOLS_MOOR_SOURCE_H_
#define MOORING_TOOLS_MOOR_SOURCE_H_

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <string>

#include "tools/moor/descriptor.h"
#include "tools/moor/direct_policy.h"
#include "tools/moor/options.h"

namespace moor {

// A path and its status, before it is opened.
struct SourcePath {
  std::string path;  // "-" is standard input
  struct stat status = {};
};

// For an input without a path.
inline SourcePath UnnamedSource() { return {.path = "-"}; }

// Throws if the path does not exist or is a directory.
SourcePath FindSource(const std::string& path);

// The descriptor and the size of the next read.
struct ReadStep {
  int fd = -1;
  uint64_t size = 0;
  bool direct = false;
};

class Source {
 public:
  // Waits for the writer of a pipe; a signal ends the wait. `chunk_bytes_max` is the maximum size
  // of one read. `direct` records whether reads are direct, here and in later calls.
  static std::shared_ptr<Source> Open(const SourcePath& found, DirectMode mode,
                                      uint64_t chunk_bytes_max,
                                      std::shared_ptr<DirectSummary> direct);

  // Reads from `socket`. Messages use `name`.
  static std::shared_ptr<Source> FromSocket(const std::string& name, Descriptor socket,
                                            DirectMode mode, std::shared_ptr<DirectSummary> direct);

  const std::string& name() const { return name_; }
  const struct stat& status() const { return status_; }
  bool positioned() const { return positioned_; }
  uint64_t size() const { return size_; }  // 0 unless positioned
  bool may_have_holes() const;
  bool cached() const { return cached_; }
  int fd() const { return fd_.get(); }
  bool is_socket() const { return S_ISSOCK(status_.st_mode); }

  // Pieces begin at multiples of this, so that only the last one can have an unaligned tail.
  uint64_t piece_alignment() const { return direct_fd_ ? alignment_.offset : 1; }

  // Returns how to read `size` bytes at `offset` into `memory`: directly, as far as it is aligned.
  ReadStep NextRead(uint64_t offset, uint64_t size, const void* memory) const;

  // Call it after a direct read failed with EINVAL. If it returns true, further reads are buffered:
  // retry the read.
  bool FallBackToBuffered();

  void RecordDirectRead() { direct_->used = true; }

  // Throws if the file is shorter than when it was opened: a hole may have been a truncated range.
  void CheckNotTruncated() const;

  // Throws: the file ended at `offset`, before the size that it had when it was opened.
  [[noreturn]] void ThrowShrank(uint64_t offset) const;

 private:
  Source(std::string name, Descriptor fd, std::shared_ptr<DirectSummary> direct);
  void Classify();
  void ChooseDirect(DirectMode mode, uint64_t chunk_bytes_max);
  DirectReason OpenDirect(DirectMode mode, uint64_t chunk_bytes_max);

  std::string name_;
  Descriptor fd_;
  Descriptor direct_fd_;
  struct stat status_ = {};
  bool positioned_ = false;
  bool cached_ = false;
  uint64_t size_ = 0;
  DirectMode mode_ = DirectMode::kAuto;
  DirectAlignment alignment_;
  std::shared_ptr<DirectSummary> direct_;
  bool direct_refused_ = false;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SOURCE_H_
