// Progress: shows the progress on standard error: a bar on a terminal, one line per second in a
// log.
//
// Lifecycle: the destructor clears the bar, so that a report or an error starts on an empty line.
// Threading: one owner.
//
//   Progress progress(options.progress, total_bytes);
//   progress.Update(bytes);
#ifndef MOORING_TOOLS_MOOR_PROGRESS_H_
#define MOORING_TOOLS_MOOR_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace moor {

class Progress {
 public:
  // If `wanted` is not set, progress is shown if standard error is a terminal.
  Progress(std::optional<bool> wanted, std::optional<uint64_t> total_bytes);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Draws at most ten times per second, so it may be called at any rate.
  void Update(uint64_t bytes);

 private:
  using Clock = std::chrono::steady_clock;

  void Draw(uint64_t bytes, double seconds);

  std::optional<uint64_t> total_bytes_;
  bool shown_ = false;
  bool terminal_ = false;
  bool drawn_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_ = start_;
};

// The text of one update, with at most `columns` characters.
std::string ProgressLine(uint64_t bytes, std::optional<uint64_t> total_bytes, double seconds,
                         size_t columns);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_PROGRESS_H_
