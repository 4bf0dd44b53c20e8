// DataRanges: the hole map of a file: which bytes are data and which are holes, from the start on.
//
// Asks the filesystem as it goes (lseek(2), SEEK_DATA and SEEK_HOLE), so a file of a million
// extents costs no memory. A filesystem that cannot tell says that everything is data. What is
// written to the file meanwhile may be missed, as by any copy of a file that changes.
//
// Lifecycle: borrows the descriptor, whose position it moves. Threading: one owner.
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
  // `find_holes` false: one range of data, without asking.
  DataRanges(int fd, uint64_t size, bool find_holes = true)
      : fd_(fd), size_(size), find_holes_(find_holes) {}

  // Neighbouring ranges, without a gap, from 0 to the size. Nothing at the end.
  std::optional<DataRange> Next();

 private:
  DataRange Take(uint64_t end, bool hole);

  int fd_;
  uint64_t size_;
  bool find_holes_;
  uint64_t offset_ = 0;
  uint64_t data_start_ = 0;  // where the data after the hole that was just given begins
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DATA_RANGES_H_
