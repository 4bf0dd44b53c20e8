// ReadPlan: divides the sources into pieces, in the order in which they are read.
//
// A piece is a range of one source that fits into one chunk of memory, or a hole that needs no
// memory. The pieces of a positioned source are all available immediately. Any other source has one
// piece at a time: the next one is available after the read of the last one has completed. A source
// is opened when the source before it has no more pieces.
//
// Lifecycle: a source stays open as long as a piece of it exists. Threading: one owner.
//
//   ReadPlan plan({FindSource("a"), FindSource("b")}, options);
//   while (std::optional<Piece> piece = plan.Next()) { ... }
#ifndef MOORING_TOOLS_MOOR_READ_PLAN_H_
#define MOORING_TOOLS_MOOR_READ_PLAN_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/moor/data_ranges.h"
#include "tools/moor/descriptor.h"
#include "tools/moor/options.h"
#include "tools/moor/source.h"

namespace moor {

struct Piece {
  std::shared_ptr<Source> source;
  uint64_t offset = 0;
  uint64_t size = 0;
  bool hole = false;
  bool last = false;  // the last piece of a positioned source
};

// The maximum size of a piece of a source that is in the page cache.
inline constexpr uint64_t kCachedPieceBytesMax = UINT64_C(512) << 10;

struct ReadPlanOptions {
  DirectMode direct = DirectMode::kAuto;
  bool keep_holes = false;   // return holes as pieces, instead of reading their zeros
  uint64_t chunk_bytes = 0;  // the size of a piece, except for holes and the end of a source
};

// The total size of all sources, or nothing if one is not a regular file.
std::optional<uint64_t> TotalBytes(const std::vector<SourcePath>& paths);

class ReadPlan {
 public:
  ReadPlan(std::vector<SourcePath> paths, const ReadPlanOptions& options);
  // For the bytes of one connection.
  ReadPlan(const std::string& name, Descriptor socket, const ReadPlanOptions& options);

  // Opens the first source if it is not open yet, and returns it.
  const std::shared_ptr<Source>& First();

  // The next piece. Nothing if the plan is finished, or if the current source is not positioned and
  // a read of it is in flight.
  std::optional<Piece> Next();

  // The read of a source that is not positioned has completed with `bytes`; 0 is the end.
  void SequentialReadDone(uint64_t bytes);

  // Whether the source of the next piece is in the page cache. Its reads are then copies by the
  // CPU, which are fastest with little memory that stays in the CPU cache.
  bool reads_from_cache() const { return current_ && current_->cached(); }

  // Whether there are no more pieces.
  bool finished() const { return next_path_ >= paths_.size() && !current_; }

  // How the sources opened so far were read.
  DirectSummary Direct() const;

 private:
  void OpenNext();
  std::optional<Piece> NextPositioned();

  std::vector<SourcePath> paths_;
  ReadPlanOptions options_;
  size_t next_path_ = 0;
  std::shared_ptr<Source> first_;
  std::shared_ptr<Source> current_;
  std::optional<DataRanges> ranges_;  // of current_, if it is positioned
  std::optional<DataRange> range_;    // the rest of the range that is divided into pieces
  uint64_t sequential_offset_ = 0;
  bool sequential_read_pending_ = false;
  std::shared_ptr<DirectSummary> direct_ = std::make_shared<DirectSummary>();
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_READ_PLAN_H_
