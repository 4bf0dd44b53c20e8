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
      // There is no data after offset_ (lseek(2)). lseek(2) fails in the same way if the file was
      // truncated: the last read or Source::CheckNotTruncated detects that.
      return Take(size_, true);
    }
    if (data < 0 && errno == EINVAL) {
      find_holes_ = false;  // the filesystem does not support SEEK_DATA
      return Take(size_, false);
    }
    if (data < 0) {
      ThrowSystemError(errno, "cannot find the holes of the file");
    }
    data_start_ = std::min(static_cast<uint64_t>(data), size_);
    if (data_start_ > offset_) {
      return Take(data_start_, true);
    }
  }
  const off_t hole = ::lseek(fd_, static_cast<off_t>(offset_), SEEK_HOLE);
  if (hole < 0 && errno != ENXIO) {
    ThrowSystemError(errno, "cannot find the holes of the file");
  }
  // ENXIO: the file was truncated after SEEK_DATA. The read reports that.
  const uint64_t end = hole < 0 ? size_ : std::min(static_cast<uint64_t>(hole), size_);
  return Take(end > offset_ ? end : size_, false);
}

}  // namespace moor
