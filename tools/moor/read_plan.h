// ReadPlan: the order in which sources are read, cut into pieces.
//
// A piece is a range of one source for one chunk of memory, or a hole that needs none. A positioned
// source gives all its pieces at once if asked; any other gives one, and the next when its read has
// come back. The next source is opened when the one before it has no more pieces.
//
// Lifecycle: sources stay open as long as pieces of them exist. Threading: one owner.
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
  bool last = false;  // of a positioned source
};

// Pieces of a source that is in the page cache are no larger.
inline constexpr uint64_t kCachedPieceBytesMax = UINT64_C(512) << 10;

struct ReadPlanOptions {
  DirectMode direct = DirectMode::kAuto;
  bool keep_holes = false;   // give holes as pieces, instead of reading their zeros
  uint64_t chunk_bytes = 0;  // the size of a piece, but for holes and ends
};

// The bytes of all of them; nothing where one is no regular file.
std::optional<uint64_t> TotalBytes(const std::vector<SourcePath>& paths);

class ReadPlan {
 public:
  ReadPlan(std::vector<SourcePath> paths, const ReadPlanOptions& options);
  // Of what comes from one connection.
  ReadPlan(const std::string& name, Descriptor socket, const ReadPlanOptions& options);

  // Opens the first source, if that has not been done, and returns it.
  const std::shared_ptr<Source>& First();

  // The next piece. Nothing when the plan is finished, or waits for the read of a source without
  // positions.
  std::optional<Piece> Next();

  // The read of a source without positions has come back with `bytes`; 0 is its end.
  void SequentialReadDone(uint64_t bytes);

  // Whether the source that the next piece comes from is in the page cache: its reads are copies by
  // the processor, which go best through little memory that stays in the processor's own cache.
  bool reads_from_cache() const { return current_ && current_->cached(); }

  // No piece will come any more.
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
  std::optional<DataRanges> ranges_;  // of current_, when it is positioned
  std::optional<DataRange> range_;    // what is left of the range that pieces are cut from
  uint64_t sequential_offset_ = 0;
  bool sequential_read_pending_ = false;
  std::shared_ptr<DirectSummary> direct_ = std::make_shared<DirectSummary>();
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_READ_PLAN_H_
