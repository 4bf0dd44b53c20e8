#include "tools/moor/read_plan.h"

#include <sys/stat.h>

#include <algorithm>

namespace moor {

std::optional<uint64_t> TotalBytes(const std::vector<SourcePath>& paths) {
  uint64_t total = 0;
  for (const SourcePath& path : paths) {
    if (!S_ISREG(path.status.st_mode) || path.path == "-") {
      return std::nullopt;
    }
    total += static_cast<uint64_t>(path.status.st_size);
  }
  return total;
}

ReadPlan::ReadPlan(std::vector<SourcePath> paths, const ReadPlanOptions& options)
    : paths_(std::move(paths)), options_(options) {}

ReadPlan::ReadPlan(const std::string& name, Descriptor socket, const ReadPlanOptions& options)
    : options_(options) {
  first_ = current_ = Source::FromSocket(name, std::move(socket), options.direct, direct_);
}

const std::shared_ptr<Source>& ReadPlan::First() {
  if (!first_) {
    OpenNext();
    first_ = current_;
  }
  return first_;
}

void ReadPlan::OpenNext() {
  current_ = Source::Open(paths_[next_path_], options_.direct, options_.chunk_bytes, direct_);
  ++next_path_;
  sequential_offset_ = 0;
  range_.reset();
  ranges_.reset();
  if (current_->positioned()) {
    ranges_.emplace(current_->fd(), current_->size(),
                    options_.keep_holes && current_->may_have_holes());
  }
}

std::optional<Piece> ReadPlan::NextPositioned() {
  if (!range_) {
    range_ = ranges_->Next();
  }
  if (!range_) {
    return std::nullopt;
  }
  Piece piece;
  piece.source = current_;
  piece.offset = range_->offset;
  piece.hole = range_->hole;
  piece.size = range_->size;
  if (!piece.hole) {
    const uint64_t alignment = current_->piece_alignment();
    const uint64_t most = current_->cached() ? std::min(options_.chunk_bytes, kCachedPieceBytesMax)
                                             : options_.chunk_bytes;
    piece.size = std::min(piece.size, std::max(most - most % alignment, alignment));
  }
  piece.last = piece.offset + piece.size == current_->size();
  range_->offset += piece.size;
  range_->size -= piece.size;
  if (range_->size == 0) {
    range_.reset();
  }
  return piece;
}

std::optional<Piece> ReadPlan::Next() {
  while (!finished()) {
    if (!current_) {
      OpenNext();
    }
    if (!current_->positioned()) {
      if (sequential_read_pending_) {
        return std::nullopt;
      }
      sequential_read_pending_ = true;
      Piece piece;
      piece.source = current_;
      piece.offset = sequential_offset_;
      piece.size = options_.chunk_bytes;
      return piece;
    }
    if (std::optional<Piece> piece = NextPositioned()) {
      return piece;
    }
    current_.reset();
  }
  return std::nullopt;
}

void ReadPlan::SequentialReadDone(uint64_t bytes) {
  sequential_read_pending_ = false;
  sequential_offset_ += bytes;
  if (bytes == 0) {
    current_.reset();
  }
}

DirectSummary ReadPlan::Direct() const {
  DirectSummary summary = *direct_;
  if (summary.used && summary.reason == DirectReason::kEmpty) {
    summary.reason = DirectReason::kNone;
  }
  return summary;
}

}  // namespace moor
