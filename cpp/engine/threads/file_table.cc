#include "cpp/engine/threads/file_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "cpp/base/check.h"

namespace mooring {

Status FileTable::Create(uint32_t slot_count, uint32_t in_flight_max) {
  CHECK(entries_ == nullptr);
  if (slot_count == 0) return OkStatus();
  slot_count_ = slot_count;
  // One more, for a file on its way into a slot that still holds its previous file.
  entry_count_ = slot_count + in_flight_max + 1;
  entries_.reset(new (std::nothrow) FixedFile[entry_count_]);
  const MutexLock lock(mutex_);
  slots_.reset(new (std::nothrow) FixedFile*[slot_count]());
  if (!entries_ || !slots_) {
    return ErrnoStatus(ENOMEM, "cannot allocate the file table of a threads engine",
                       "ask for fewer fixed files (fixed_file_count)");
  }
  for (uint32_t i = entry_count_; i-- > 0;) {
    entries_[i].next_free = free_;
    free_ = &entries_[i];
  }
  return OkStatus();
}

FileTable::~FileTable() {
  for (uint32_t i = 0; entries_ && i < entry_count_; ++i) {
    if (entries_[i].fd >= 0) ::close(entries_[i].fd);
  }
}

int FileTable::Set(uint32_t slot, int fd) { return Replace(slot, fd, false); }

int FileTable::Close(uint32_t slot) { return Replace(slot, -1, true); }

int FileTable::Replace(uint32_t slot, int fd, bool must_hold_file) {
  if (slot_count_ == 0) return -ENXIO;
  if (slot >= slot_count_) return -EINVAL;
  int own = -1;
  if (fd >= 0) {
    own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) return -errno;
  } else if (fd != -1) {
    return -EBADF;
  }
  int unused = -1;
  {
    const MutexLock lock(mutex_);
    FixedFile* const previous = slots_[slot];
    if (previous == nullptr && must_hold_file) return -EBADF;
    slots_[slot] = own >= 0 ? NewFile(own) : nullptr;
    if (previous != nullptr) unused = Drop(previous);
  }
  // io_uring also completes before the last reference is gone, so the result of close(2) is not
  // reported.
  if (unused >= 0) ::close(unused);
  return 0;
}

FixedFile* FileTable::Acquire(int slot) {
  if (slot < 0 || static_cast<uint32_t>(slot) >= slot_count_) return nullptr;
  const MutexLock lock(mutex_);
  FixedFile* const file = slots_[static_cast<uint32_t>(slot)];
  if (file != nullptr) ++file->references;
  return file;
}

void FileTable::Release(FixedFile* file) {
  int unused = -1;
  {
    const MutexLock lock(mutex_);
    unused = Drop(file);
  }
  if (unused >= 0) ::close(unused);
}

FixedFile* FileTable::NewFile(int fd) {
  FixedFile* const file = free_;
  CHECK(file != nullptr);
  free_ = file->next_free;
  file->fd = fd;
  file->references = 1;
  return file;
}

int FileTable::Drop(FixedFile* file) {
  DCHECK(file->references > 0);
  if (--file->references > 0) return -1;
  const int fd = file->fd;
  // Cleared before the close: a fork child created in between then never closes a descriptor of
  // another file.
  file->fd = -1;
  file->next_free = free_;
  free_ = file;
  return fd;
}

}  // namespace mooring
