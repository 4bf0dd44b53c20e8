#include "tools/moor/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/moor/sizes.h"

namespace moor {
namespace {

constexpr size_t kDefaultColumns = 80;
constexpr size_t kBarColumnsMax = 40;
constexpr std::chrono::milliseconds kTerminalInterval(100);
constexpr std::chrono::milliseconds kLogInterval(1000);
constexpr char kClearLine[] = "\r\x1b[K";

size_t Columns() {
  struct winsize window {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) {
    return kDefaultColumns;
  }
  return window.ws_col;
}

void Print(const std::string& text) {
  // A failed write of the progress must not stop the transfer.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string ProgressLine(uint64_t bytes, std::optional<uint64_t> total_bytes, double seconds,
                         size_t columns) {
  std::string text = FormatBytesShort(bytes) + "  " + FormatRate(bytes, seconds);
  if (total_bytes && bytes <= *total_bytes && *total_bytes > 0) {
    const double part = static_cast<double>(bytes) / static_cast<double>(*total_bytes);
    const auto percent = static_cast<int>(part * 100);
    text = std::to_string(percent) + "%  " + text;
    if (bytes > 0 && bytes < *total_bytes) {
      text += "  " + FormatSeconds(seconds / part - seconds) + " left";
    }
    const size_t room = columns > text.size() + 5 ? columns - text.size() - 5 : 0;
    const size_t width = std::min(room, kBarColumnsMax);
    if (width >= 10) {
      const auto full = static_cast<size_t>(part * static_cast<double>(width));
      text = "[" + std::string(full, '#') + std::string(width - full, '.') + "] " + text;
    }
  }
  return text.substr(0, columns);
}

Progress::Progress(std::optional<bool> wanted, std::optional<uint64_t> total_bytes)
    : total_bytes_(total_bytes), terminal_(::isatty(STDERR_FILENO) == 1) {
  shown_ = wanted.value_or(terminal_);
  // A transfer that ends within the first interval shows no progress.
  next_ = start_ + (terminal_ ? kTerminalInterval : kLogInterval);
}

Progress::~Progress() {
  if (drawn_ && terminal_) {
    Print(kClearLine);
  }
}

void Progress::Update(uint64_t bytes) {
  if (!shown_) {
    return;
  }
  const Clock::time_point now = Clock::now();
  if (now < next_) {
    return;
  }
  next_ = now + (terminal_ ? kTerminalInterval : kLogInterval);
  Draw(bytes, std::chrono::duration<double>(now - start_).count());
}

void Progress::Draw(uint64_t bytes, double seconds) {
  // The last column stays empty: some terminals wrap when it is written.
  const std::string line = ProgressLine(bytes, total_bytes_, seconds, Columns() - 1);
  Print(terminal_ ? kClearLine + line : line + "\n");
  drawn_ = true;
}

}  // namespace moor
