// FileTable: the fixed files of a threads engine. Like the table of the kernel, it holds its own
// reference to each file, and a request in flight keeps the file with which it started when the
// slot is replaced or emptied.
//
// Lifecycle: created with all entries that can be needed: one for each slot, and one for each
// request in flight that may still use a file which its slot no longer holds.
//
// Threading: any thread. The mutex is never held across a system call.
//
//   FixedFile* file = table.Acquire(slot);   // null: no such file
//   pread(file->fd, ...);
//   table.Release(file);
#ifndef MOORING_CPP_ENGINE_THREADS_FILE_TABLE_H_
#define MOORING_CPP_ENGINE_THREADS_FILE_TABLE_H_

#include <cstdint>
#include <memory>

#include "cpp/base/status.h"
#include "cpp/base/thread_annotations.h"

namespace mooring {

struct FixedFile {
  int fd = -1;
  uint32_t references = 0;  // held by its slot and by requests
  FixedFile* next_free = nullptr;
};

class FileTable {
 public:
  FileTable() = default;
  ~FileTable();
  FileTable(const FileTable&) = delete;
  FileTable& operator=(const FileTable&) = delete;

  // Call it once. At most `in_flight_max` files are acquired at any time.
  Status Create(uint32_t slot_count, uint32_t in_flight_max);

  // Puts a duplicate of `fd` into the slot; -1 empties it. Returns 0, or the errno of the kernel:
  // -ENXIO without a table, -EINVAL for a slot beyond it, -EBADF for a descriptor that is not open,
  // -EMFILE.
  int Set(uint32_t slot, int fd);
  // Empties a slot. -EBADF if it holds no file.
  int Close(uint32_t slot);

  FixedFile* Acquire(int slot);
  void Release(FixedFile* file);

 private:
  int Replace(uint32_t slot, int fd, bool must_hold_file);
  FixedFile* NewFile(int fd) REQUIRES(mutex_);
  // Drops a reference. Returns a descriptor to close after the mutex is released, or -1.
  int Drop(FixedFile* file) REQUIRES(mutex_);

  uint32_t slot_count_ = 0;
  uint32_t entry_count_ = 0;
  std::unique_ptr<FixedFile[]> entries_;
  Mutex mutex_;
  std::unique_ptr<FixedFile*[]> slots_ GUARDED_BY(mutex_);
  FixedFile* free_ GUARDED_BY(mutex_) = nullptr;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_FILE_TABLE_H_
