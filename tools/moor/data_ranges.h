// DataRanges: iterates over the data ranges and the holes of a file, in order.
//
// Queries the filesystem for one range at a time (lseek(2), SEEK_DATA and SEEK_HOLE), so a file of
// a million extents needs no memory. A filesystem without hole information reports the whole file
// as data. Data that is written to the file during the iteration may be missed.
//
// Lifecycle: borrows the descriptor and changes its file position. Threading: one owner.
//
//   DataRanges ranges(fd, size);
//   while (std::optional<DataRange> range = ranges.Next()) { ... }
#ifndef MOORING_TOOLS_MOOR_DATA_RANGES_H_
#define MOORING_TOOLS_MOOR_DATA_RANGES_H_

#include <cstdint>
#include <optional>

namespace moor {

struct DataRange {
  uint64_t offset = 0;
  uint64_t size = 0;  // never 0
  bool hole = false;
};

class DataRanges {
 public:
  // If `find_holes` is false, the file is one range of data and the filesystem is not queried.
  DataRanges(int fd, uint64_t size, bool find_holes = true)
      : fd_(fd), size_(size), find_holes_(find_holes) {}

  // Contiguous ranges from offset 0 to the size, then nothing.
  std::optional<DataRange> Next();

 private:
  DataRange Take(uint64_t end, bool hole);

  int fd_;
  uint64_t size_;
  bool find_holes_;
  uint64_t offset_ = 0;
  uint64_t data_start_ = 0;  // start of the data after the last hole
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DATA_RANGES_H_
