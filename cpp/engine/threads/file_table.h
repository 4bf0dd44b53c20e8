// FileTable: the fixed files of a threads engine. As the kernel's table does, it holds a reference
// of its own to each file, and a request that is under way keeps the file it began with when its
// slot is replaced or emptied.
//
// Lifecycle: made at creation with all the entries that can be needed: one for each slot, and one
// for each request in flight that may still use a file whose slot has gone on.
//
// Threading: any. The mutex is never held across a system call.
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
  uint32_t references = 0;  // of its slot, and of requests
  FixedFile* next_free = nullptr;
};

class FileTable {
 public:
  FileTable() = default;
  ~FileTable();
  FileTable(const FileTable&) = delete;
  FileTable& operator=(const FileTable&) = delete;

  // Once. `in_flight_max` bounds how many files Acquire has given at any time.
  Status Create(uint32_t slot_count, uint32_t in_flight_max);

  // Puts a duplicate of `fd` into the slot; -1 empties it. 0, or as the kernel: -ENXIO without a
  // table, -EINVAL for a slot beyond it, -EBADF for a descriptor that is not open; -EMFILE.
  int Set(uint32_t slot, int fd);
  // Empties a slot, which must hold a file: else -EBADF.
  int Close(uint32_t slot);

  FixedFile* Acquire(int slot);
  void Release(FixedFile* file);

 private:
  int Replace(uint32_t slot, int fd, bool must_hold);
  FixedFile* NewFile(int fd) REQUIRES(mutex_);
  // Returns a descriptor to close once the mutex is free, or -1.
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
