#include "tools/moor/data_ranges.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tools/moor/failure.h"

namespace moor {

DataRange DataRanges::Take(uint64_t end, bool hole) {
  const DataRange range = {.offset = offset_, .size = end - offset_, .hole = hole};
  offset_ = end;
  return range;
}

std::optional<DataRange> DataRanges::Next() {
  if (offset_ >= size_) {
    return std::nullopt;
  }
  if (!find_holes_) {
    return Take(size_, false);
  }
  if (data_start_ <= offset_) {
    const off_t data = ::lseek(fd_, static_cast<off_t>(offset_), SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
      // lseek(2): no data from here on. Also what a file that shrank says; its last read or its
      // size at the end tells (Source::CheckUnchanged).
      return Take(size_, true);
    }
    if (data < 0 && errno == EINVAL) {
      find_holes_ = false;  // a filesystem that does not know SEEK_DATA
      return Take(size_, false);
    }
    if (data < 0) {
      ThrowSystemError(errno, "cannot look for holes");
    }
    data_start_ = std::min(static_cast<uint64_t>(data), size_);
    if (data_start_ > offset_) {
      return Take(data_start_, true);
    }
  }
  const off_t hole = ::lseek(fd_, static_cast<off_t>(offset_), SEEK_HOLE);
  if (hole < 0 && errno != ENXIO) {
    ThrowSystemError(errno, "cannot look for holes");
  }
  // ENXIO: the data that was just here is gone, the file shrank. Let the read say so.
  const uint64_t end = hole < 0 ? size_ : std::min(static_cast<uint64_t>(hole), size_);
  return Take(end > offset_ ? end : size_, false);
}

}  // namespace moor
