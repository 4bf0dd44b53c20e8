// CachedReads: small reads of what is in the page cache, done by the submitter himself. Handing one
// to a worker and waking whoever waits costs many times what the read itself does; io_uring, too,
// tries within the system call.
//
// It asks for what comes without waiting (RWF_NOWAIT, preadv2(2)) and takes only a full answer:
// everything else (not cached, end of file, streams, errors) is left to a worker, as if nothing had
// been tried. Where trying does not pay, it soon tries only now and then. Larger reads are left to
// workers, who copy side by side, unless there is only this one.
//
// Threading: the submission side's.
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
  // One of this size takes about as long to copy as to hand over.
  static constexpr uint64_t kBytesMax = 4 * 1024;
  // And this one as long as a sleeping worker and the caller take to wake.
  static constexpr uint64_t kOnlyBytesMax = 64 * 1024;

  // `only`: it is of one request, and no other is in flight.
  void BeginBatch(bool only) {
    bytes_max_ = only ? kOnlyBytesMax : kBytesMax;
    known_fd_ = -1;  // between batches descriptors may be closed and opened
  }
  bool Try(const Request& request, int fd);

 private:
  bool IsDirect(int fd);

  // Raised by success, lowered faster by failure; at 0 only every kProbeInterval-th read is tried.
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
