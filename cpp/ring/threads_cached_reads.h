// CachedReads: small reads of what is in the page cache, done by the submitter himself. Handing one to a worker and
// waking whoever waits costs many times what the read itself does; io_uring, too, tries within the system call.
//
// It asks for what comes without waiting (RWF_NOWAIT, preadv2(2)) and takes only a full answer: everything else (not
// cached, end of file, streams, errors) is left to a worker, as if nothing had been tried. Where trying does not pay, it
// soon tries only now and then.
//
// Threading: the submission side's.
//
//   reads.BeginBatch();
//   if (reads.Try(request, fd)) { /* the result is request.size64 */ }
#ifndef MOORING_CPP_RING_THREADS_CACHED_READS_H_
#define MOORING_CPP_RING_THREADS_CACHED_READS_H_

#include <cstdint>

#include "cpp/ring/request.h"

namespace mooring {

class CachedReads {
 public:
  // More is worth a thread of its own: copying is then most of the work.
  static constexpr uint64_t kBytesMax = 16 * 1024;

  // Forgets what it knows of descriptors: between batches they may be closed and opened.
  void BeginBatch() { known_fd_ = -1; }
  bool Try(const Request& request, int fd);

 private:
  bool IsDirect(int fd);

  // Raised by success, lowered faster by failure; at 0 only every kProbeInterval-th read is tried.
  static constexpr int32_t kCreditMax = 32;
  static constexpr int32_t kFailureCost = 4;
  static constexpr uint32_t kProbeInterval = 64;
  int32_t credit_ = kCreditMax;
  uint32_t skipped_count_ = 0;
  int known_fd_ = -1;
  bool known_direct_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_THREADS_CACHED_READS_H_
