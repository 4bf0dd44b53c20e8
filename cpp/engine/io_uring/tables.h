// UringTables: the two tables of a ring: buffers that the kernel has pinned, and files that it
// holds open. Both are made once, full of empty slots, and live as long as the ring; slots are
// filled and emptied one range at a time.
//
// Before 5.13 there are no empty buffer slots and no updates of them. There the table of buffers
// is made when there is something to put into it, whole, and made anew when that changes.
//
// Threading: any thread, one at a time for each table; where the ring has one issuer
// (SINGLE_ISSUER), that one, and others get -EEXIST.
//
//   UringTables tables(uring);
//   const int error = tables.CreateBuffers(1024);   // 0, or a negative errno
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

  // The most slots of a table that can only be registered whole (UIO_MAXIOV, 5.4).
  static constexpr uint32_t kWholeSlotCountMax = 1024;

  // 0, or a negative errno.
  int CreateBuffers(uint32_t slot_count);
  int CreateFiles(uint32_t slot_count);

  // After CreateBuffers: RegisterBuffers it is, not UpdateBuffers.
  bool registers_whole() const { return registers_whole_; }

  // As Engine's, which see.
  int UpdateBuffers(uint32_t first, std::span<const iovec> ranges, std::span<const uint64_t> tags);
  int CloneBuffer(int source_fd, uint32_t from, uint32_t to);
  int RegisterBuffers(std::span<const iovec> ranges);
  int UnregisterBuffers();
  int SetFile(uint32_t index, int fd);

 private:
  int TryWhole();

  const Uring& uring_;
  bool registers_whole_ = false;
  bool has_buffers_ = false;
  bool has_files_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_TABLES_H_
