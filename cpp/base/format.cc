#include "cpp/base/format.h"

#include <cstdarg>
#include <cstdio>

namespace mooring {

std::string Format(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  va_list again;
  va_copy(again, arguments);
  char start[256];
  const int length = std::vsnprintf(start, sizeof start, format, arguments);
  va_end(arguments);
  std::string text;
  if (length > 0) {
    const size_t size = static_cast<size_t>(length);
    if (size < sizeof start) {
      text.assign(start, size);
    } else {
      text.resize(size);
      // vsnprintf(3) overwrites the NUL of the string with its own.
      std::vsnprintf(text.data(), size + 1, format, again);
    }
  }
  va_end(again);
  return text;
}

std::string FormatCount(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t left = digits.size(); left > 3;) {
    left -= 3;
    digits.insert(left, 1, ',');
  }
  return digits;
}

std::string FormatBytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024)
    return Format("%u %s", static_cast<unsigned>(bytes), bytes == 1 ? "byte" : "bytes");
  // Integers only: a double has too few digits to distinguish 2^63 from 2^63 - 1.
  uint32_t unit = 0;
  uint32_t shift = 10;
  while (unit + 1 < sizeof kUnits / sizeof kUnits[0] && bytes >> (shift + 10) != 0) {
    ++unit;
    shift += 10;
  }
  const uint64_t whole = bytes >> shift;
  const uint64_t rest = bytes & ((uint64_t{1} << shift) - 1);
  // Ten times a remainder of 60 bits would need more than 64: reduce it to 16 bits first.
  const uint32_t surplus = shift > 16 ? shift - 16 : 0;
  const uint64_t tenth = ((rest >> surplus) * 10) >> (shift - surplus);
  const bool half = rest == uint64_t{1} << (shift - 1);
  const std::string exact = FormatCount(bytes);
  if (rest == 0)
    return Format("%u %s (%s bytes)", static_cast<unsigned>(whole), kUnits[unit], exact.c_str());
  return Format("%s%u.%u %s (%s bytes)", half ? "" : "about ", static_cast<unsigned>(whole),
                static_cast<unsigned>(tenth), kUnits[unit], exact.c_str());
}

}  // namespace mooring
