#include "cpp/os/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "cpp/base/unique_fd.h"

namespace mooring {
namespace {

constexpr size_t kSmallFileBytes = 64 << 10;
constexpr size_t kLineBytes = 4 << 10;

int OpenForReading(const char* path) {
  int fd;
  do {
    fd = ::open(path, O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

ssize_t ReadSome(int fd, char* buffer, size_t size) {
  ssize_t got;
  do {
    got = ::read(fd, buffer, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

std::optional<std::string> ReadSmallFile(const char* path) {
  const UniqueFd fd(OpenForReading(path));
  if (!fd.valid()) return std::nullopt;
  std::string text;
  char buffer[4096];
  while (text.size() < kSmallFileBytes) {
    const ssize_t got = ReadSome(fd.get(), buffer, sizeof buffer);
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  if (text.size() > kSmallFileBytes) text.resize(kSmallFileBytes);
  return text;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t");
  if (start == std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  const std::from_chars_result result =
      std::from_chars(text.data() + start, text.data() + text.size(), number);
  if (result.ec != std::errc()) return std::nullopt;
  return number;
}

std::optional<uint64_t> ReadNumberFile(const char* path) {
  const std::optional<std::string> text = ReadSmallFile(path);
  if (!text) return std::nullopt;
  return ParseNumber(*text);
}

int ForEachLine(const char* path, const std::function<bool(std::string_view)>& visit) {
  const UniqueFd fd(OpenForReading(path));
  if (!fd.valid()) return errno;
  char buffer[kLineBytes];
  size_t filled = 0;
  bool skipping = false;  // inside the rest of a truncated line
  while (true) {
    const ssize_t got = ReadSome(fd.get(), buffer + filled, sizeof buffer - filled);
    if (got < 0) return errno;
    if (got == 0) break;
    filled += static_cast<size_t>(got);
    size_t start = 0;
    while (const void* end = std::memchr(buffer + start, '\n', filled - start)) {
      const size_t length = static_cast<size_t>(static_cast<const char*>(end) - (buffer + start));
      if (!skipping && !visit(std::string_view(buffer + start, length))) return 0;
      skipping = false;
      start += length + 1;
    }
    filled -= start;
    std::memmove(buffer, buffer + start, filled);
    if (filled == sizeof buffer) {
      if (!skipping && !visit(std::string_view(buffer, filled))) return 0;
      skipping = true;
      filled = 0;
    }
  }
  if (filled > 0 && !skipping) visit(std::string_view(buffer, filled));
  return 0;
}

}  // namespace mooring
