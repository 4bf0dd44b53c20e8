// UringTables: the two tables of a ring: buffers that the kernel has pinned, and files that it
// keeps open. Both are made once, with empty slots, and live as long as the ring. Calls fill and
// empty slots.
//
// Before 5.13 a table cannot have empty buffer slots and cannot be updated. There the buffer table
// is registered whole, when it has content, and registered again when the content changes.
//
// Threading: any thread, one at a time for each table. With SINGLE_ISSUER only the issuer; other
// threads get -EEXIST.
//
//   UringTables tables(uring);
//   const int result = tables.CreateBuffers(1024);   // 0, or a negative errno
//   tables.UpdateBuffers(0, ranges, tags);
#ifndef MOORING_CPP_ENGINE_IO_URING_TABLES_H_
#define MOORING_CPP_ENGINE_IO_URING_TABLES_H_

#include <sys/uio.h>

#include <cstdint>
#include <span>

#include "cpp/engine/io_uring/uring.h"

namespace mooring {

class UringTables {
 public:
  // `uring` outlives the tables.
  explicit UringTables(const Uring& uring) : uring_(uring) {}

  // The most slots of a table that is registered whole (UIO_MAXIOV, 5.4).
  static constexpr uint32_t kNoUpdateSlotCountMax = 1024;

  // 0, or a negative errno.
  int CreateBuffers(uint32_t slot_count);
  int CreateFiles(uint32_t slot_count);

  // Valid after CreateBuffers. True: use RegisterBuffers. False: use UpdateBuffers.
  bool lacks_updates() const { return lacks_updates_; }

  // See the functions of Engine with the same names.
  int UpdateBuffers(uint32_t first, std::span<const iovec> ranges, std::span<const uint64_t> tags);
  int CloneBuffer(int source_fd, uint32_t from, uint32_t to);
  int RegisterBuffers(std::span<const iovec> ranges);
  int UnregisterBuffers();
  int SetFile(uint32_t index, int fd);

 private:
  int TryWithoutUpdates();

  const Uring& uring_;
  bool lacks_updates_ = false;
  bool has_buffers_ = false;
  bool has_files_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_TABLES_H_
