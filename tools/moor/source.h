// Source: one thing to read: a file, a pipe, a device, standard input, a connection.
//
// A positioned source (a regular file, a block device) has a size, and reads name their offset, so
// many are under way at once; what is appended to it later is not read. Any other one is read at
// its own position, one read at a time, to its end.
//
// Lifecycle: Find looks without opening (so that nothing waits for a pipe's writer before
// everything else is known to be right); Open opens. Closed when the last piece of it is done with.
// Threading: one owner.
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

// What a path names, before it is opened.
struct SourcePath {
  std::string path;  // "-" is standard input
  struct stat status = {};
};

// For bytes that no path names.
inline SourcePath NamelessSource() { return {.path = "-"}; }

// Throws for a directory and for what is not there.
SourcePath FindSource(const std::string& path);

// How the next read of a piece is made.
struct ReadStep {
  int fd = -1;
  uint64_t size = 0;
  bool direct = false;
};

class Source {
 public:
  // Waits for the writer of a pipe; a signal ends the wait. `chunk_bytes_max` is the most that one
  // read will fill. How it is read goes into `direct`, now and later.
  static std::shared_ptr<Source> Open(const SourcePath& found, DirectMode mode,
                                      uint64_t chunk_bytes_max,
                                      std::shared_ptr<DirectSummary> direct);

  // The bytes that come from `socket`, which is called `name` in messages.
  static std::shared_ptr<Source> OfSocket(const std::string& name, Descriptor socket,
                                          DirectMode mode, std::shared_ptr<DirectSummary> direct);

  const std::string& name() const { return name_; }
  const struct stat& status() const { return status_; }
  bool positioned() const { return positioned_; }
  uint64_t size() const { return size_; }  // 0 unless positioned
  bool may_have_holes() const;
  bool cached() const { return cached_; }
  int fd() const { return fd_.get(); }
  bool is_socket() const { return S_ISSOCK(status_.st_mode); }

  // Reads of pieces begin at multiples of this, so that none but the last has an unaligned tail.
  uint64_t piece_granule() const { return direct_fd_ ? alignment_.offset : 1; }

  // How to read `size` bytes at `offset` into `memory`: directly as far as that is aligned.
  ReadStep NextRead(uint64_t offset, uint64_t size, const void* memory) const;

  // A direct read answered EINVAL. True: reads are buffered from now on, try again.
  bool FallBackToBuffered();

  void NoteDirectRead() { direct_->used = true; }

  // Throws if the file is now shorter than when it was opened: bytes taken for a hole may be none.
  void CheckUnchanged() const;

  // Throws: the file ended at `offset`, before the size that it had when it was opened.
  [[noreturn]] void ThrowShrank(uint64_t offset) const;

 private:
  Source(std::string name, Descriptor fd, std::shared_ptr<DirectSummary> direct);
  void Classify();
  void ChooseDirect(DirectMode mode, uint64_t chunk_bytes_max);
  DirectReason WhyNotDirect(DirectMode mode, uint64_t chunk_bytes_max);

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
