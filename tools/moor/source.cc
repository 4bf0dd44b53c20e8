#include "tools/moor/source.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "tools/moor/failure.h"
#include "tools/moor/interrupts.h"
#include "tools/moor/sizes.h"

namespace moor {
namespace {

constexpr char kStandardInput[] = "-";

// Whether the filesystem reports no real file sizes. Such files are read to their end.
bool HasUnreliableSizes(int fd) {
  struct statfs filesystem {};
  if (::fstatfs(fd, &filesystem) != 0) {
    return false;
  }
  switch (static_cast<unsigned long>(filesystem.f_type)) {
    case PROC_SUPER_MAGIC:
    case SYSFS_MAGIC:
    case DEBUGFS_MAGIC:
    case TRACEFS_MAGIC:
    case CGROUP_SUPER_MAGIC:
    case CGROUP2_SUPER_MAGIC:
      return true;
    default:
      return false;
  }
}

int OpenForReading(const std::string& path) {
  for (;;) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0 || errno != EINTR) {
      return fd;
    }
    ThrowIfInterrupted();
  }
}

bool IsAligned(uint64_t value, uint32_t alignment) { return value % alignment == 0; }

}  // namespace

SourcePath FindSource(const std::string& path) {
  SourcePath found;
  found.path = path;
  const int result = path == kStandardInput ? ::fstat(STDIN_FILENO, &found.status)
                                            : ::stat(path.c_str(), &found.status);
  if (result != 0) {
    ThrowSystemError(errno, "cannot read '" + path + "'");
  }
  if (S_ISDIR(found.status.st_mode)) {
    throw Failure("'" + path + "' is a directory", "name the files in it");
  }
  return found;
}

Source::Source(std::string name, Descriptor fd, std::shared_ptr<DirectSummary> direct)
    : name_(std::move(name)), fd_(std::move(fd)), direct_(std::move(direct)) {}

std::shared_ptr<Source> Source::Open(const SourcePath& found, DirectMode mode,
                                     uint64_t chunk_bytes_max,
                                     std::shared_ptr<DirectSummary> direct) {
  Descriptor fd(found.path == kStandardInput ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                             : OpenForReading(found.path));
  if (!fd) {
    ThrowSystemError(errno, "cannot read '" + found.path + "'");
  }
  std::shared_ptr<Source> source(new Source(found.path, std::move(fd), std::move(direct)));
  source->Classify();
  source->ChooseDirect(mode, chunk_bytes_max);
  return source;
}

std::shared_ptr<Source> Source::FromSocket(const std::string& name, Descriptor socket,
                                           DirectMode mode, std::shared_ptr<DirectSummary> direct) {
  std::shared_ptr<Source> source(new Source(name, std::move(socket), std::move(direct)));
  source->Classify();
  source->ChooseDirect(mode, 0);
  return source;
}

void Source::Classify() {
  if (::fstat(fd_.get(), &status_) != 0) {
    ThrowSystemError(errno, "cannot read '" + name_ + "'");
  }
  if (S_ISDIR(status_.st_mode)) {
    throw Failure("'" + name_ + "' is a directory", "name the files in it");
  }
  if (name_ == kStandardInput) {
    return;  // its file position is shared with the parent process and may be different from 0
  }
  if (S_ISREG(status_.st_mode) && !HasUnreliableSizes(fd_.get())) {
    positioned_ = true;
    size_ = static_cast<uint64_t>(status_.st_size);
  } else if (S_ISBLK(status_.st_mode)) {
    const off_t end = ::lseek(fd_.get(), 0, SEEK_END);
    positioned_ = end > 0;
    size_ = end > 0 ? static_cast<uint64_t>(end) : 0;
    ::lseek(fd_.get(), 0, SEEK_SET);
  }
}

bool Source::may_have_holes() const {
  return S_ISREG(status_.st_mode) && positioned_ &&
         static_cast<uint64_t>(status_.st_blocks) * 512 < size_;
}

DirectReason Source::OpenDirect(DirectMode mode, uint64_t chunk_bytes_max) {
  if (mode == DirectMode::kOff) {
    return DirectReason::kPolicy;
  }
  if (!positioned_) {
    return DirectReason::kNotRegular;
  }
  if (size_ == 0) {
    return DirectReason::kEmpty;
  }
  if (mode == DirectMode::kAuto) {
    if (size_ < kDirectFileBytesMin) {
      return DirectReason::kSmallFile;
    }
    if (cached_) {
      return DirectReason::kCached;
    }
  }
  const std::optional<DirectAlignment> alignment = FindDirectAlignment(fd_.get());
  if (!alignment) {
    return DirectReason::kNotSupported;
  }
  alignment_ = *alignment;
  if (size_ < alignment_.offset) {
    return DirectReason::kSmallFile;
  }
  if (chunk_bytes_max < alignment_.offset) {
    return DirectReason::kNotAligned;
  }
  direct_fd_ = Descriptor(::open(("/proc/self/fd/" + std::to_string(fd_.get())).c_str(),
                                 O_RDONLY | O_DIRECT | O_CLOEXEC));
  return direct_fd_ ? DirectReason::kNone : DirectReason::kNotSupported;
}

void Source::ChooseDirect(DirectMode mode, uint64_t chunk_bytes_max) {
  mode_ = mode;
  cached_ = positioned_ && size_ > 0 && IsMostlyCached(fd_.get(), size_);
  const DirectReason reason = OpenDirect(mode, chunk_bytes_max);
  direct_->Record(reason);
  if (mode == DirectMode::kOn) {
    switch (reason) {
      case DirectReason::kNone:
      case DirectReason::kEmpty:
      case DirectReason::kSmallFile:
        break;
      default:
        throw Failure("'" + name_ + "' cannot be read directly (" + DirectReasonName(reason) +
                          "), and --direct on requires it",
                      reason == DirectReason::kNotAligned
                          ? "raise --buffer-bytes to at least " + FormatBytes(alignment_.offset)
                          : "use --direct auto, or put the file on a filesystem with direct I/O");
    }
  }
  if (!direct_fd_ && positioned_) {
    ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  }
}

ReadStep Source::NextRead(uint64_t offset, uint64_t size, const void* memory) const {
  if (!direct_fd_ || direct_refused_ || !IsAligned(offset, alignment_.offset) ||
      !IsAligned(reinterpret_cast<uintptr_t>(memory), alignment_.memory)) {
    return {.fd = fd_.get(), .size = size, .direct = false};
  }
  const uint64_t direct_size = size - size % alignment_.offset;
  if (direct_size == 0) {
    return {.fd = fd_.get(), .size = size, .direct = false};
  }
  return {.fd = direct_fd_.get(), .size = direct_size, .direct = true};
}

bool Source::FallBackToBuffered() {
  if (mode_ == DirectMode::kOn) {
    return false;
  }
  // The descriptor stays open: other direct reads may be in flight on it.
  direct_refused_ = true;
  direct_->Record(DirectReason::kRefused);
  return true;
}

void Source::CheckNotTruncated() const {
  if (!S_ISREG(status_.st_mode) || !positioned_) {
    return;
  }
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0) {
    ThrowSystemError(errno, "cannot read '" + name_ + "'");
  }
  if (static_cast<uint64_t>(now.st_size) < size_) {
    ThrowShrank(static_cast<uint64_t>(now.st_size));
  }
}

void Source::ThrowShrank(uint64_t offset) const {
  throw Failure("'" + name_ + "' ended at byte " + std::to_string(offset) + " of " +
                    std::to_string(size_) + ": it became shorter while it was read",
                "read it when no program writes to it, or read a snapshot of it");
}

}  // namespace moor
