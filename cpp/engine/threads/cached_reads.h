// CachedReads: small reads of data in the page cache, which the submitter executes itself. To hand
// such a read to a worker and to wake the waiting caller costs many times the read itself. io_uring
// also tries within the system call.
//
// It reads with RWF_NOWAIT (preadv2(2)) and accepts only a full result. All other cases (not
// cached, end of file, streams, errors) are left to a worker, as if nothing had been tried. Where
// attempts fail, it soon tries only now and then. Larger reads are left to workers, which copy in
// parallel, except when there is only one read.
//
// Threading: submission side.
//
//   reads.BeginBatch(only);
//   if (reads.Try(request, fd)) { /* the result is request.size64 */ }
#ifndef MOORING_CPP_ENGINE_THREADS_CACHED_READS_H_
#define MOORING_CPP_ENGINE_THREADS_CACHED_READS_H_

#include <cstdint>

#include "cpp/engine/request.h"

namespace mooring {

class CachedReads {
 public:
  // A read of this size takes about as long to copy as to hand over to a worker.
  static constexpr uint64_t kBytesMax = 4 * 1024;
  // A read of this size takes about as long to copy as a sleeping worker and the caller take to
  // wake.
  static constexpr uint64_t kOnlyBytesMax = 64 * 1024;

  // `only`: the batch is one request, and no other is in flight.
  void BeginBatch(bool only) {
    bytes_max_ = only ? kOnlyBytesMax : kBytesMax;
    known_fd_ = -1;  // descriptors may be closed and opened between batches
  }
  bool Try(const Request& request, int fd);

 private:
  bool IsDirect(int fd);

  // A success raises credit_ by 1, a failure lowers it by kFailureCost. At 0, only every
  // kProbeInterval-th read is tried.
  static constexpr int32_t kCreditMax = 32;
  static constexpr int32_t kFailureCost = 4;
  static constexpr uint32_t kProbeInterval = 64;
  int32_t credit_ = kCreditMax;
  uint32_t skipped_count_ = 0;
  uint64_t bytes_max_ = kBytesMax;
  int known_fd_ = -1;
  bool known_direct_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_THREADS_CACHED_READS_H_
