#include "cpp/engine/threads/cached_reads.h"

#include <fcntl.h>
#include <sys/uio.h>

#include <algorithm>

namespace mooring {

bool CachedReads::Try(const Request& request, int fd) {
  if (request.opcode != Opcode::kRead || request.size64 > bytes_max_ || request.size64 == 0 ||
      request.file_offset == kFileOffsetCurrent || request.buffer_slot != kNoBufferSlot) {
    return false;
  }
  if (credit_ <= 0 && ++skipped_count_ < kProbeInterval) return false;
  skipped_count_ = 0;
  if (IsDirect(fd)) return false;
  const iovec range = {request.address, request.size64};
  const ssize_t count =
      ::preadv2(fd, &range, 1, static_cast<off_t>(request.file_offset), RWF_NOWAIT);
  const bool full = count >= 0 && static_cast<uint64_t>(count) == request.size64;
  credit_ = full ? std::min(credit_ + 1, kCreditMax) : std::max(credit_ - kFailureCost, 0);
  return full;
}

// With O_DIRECT, RWF_NOWAIT starts the I/O without waiting, but preadv2 then waits for its end.
bool CachedReads::IsDirect(int fd) {
  if (fd != known_fd_) {
    const int flags = ::fcntl(fd, F_GETFL);
    known_fd_ = fd;
    known_direct_ = flags < 0 || (flags & O_DIRECT) != 0;
  }
  return known_direct_;
}

}  // namespace mooring
