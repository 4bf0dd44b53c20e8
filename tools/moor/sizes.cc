#include "tools/moor/sizes.h"

#include <array>
#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace moor {
namespace {

// How far the number before this suffix is shifted, or nothing where it is no suffix of a size.
std::optional<int> ShiftOf(std::string_view suffix) {
  if (suffix.empty() || suffix == "B" || suffix == "b") {
    return 0;
  }
  const std::string_view rest = suffix.substr(1);
  if (!rest.empty() && rest != "iB" && rest != "ib") {
    return std::nullopt;
  }
  switch (suffix.front()) {
    case 'K':
    case 'k':
      return 10;
    case 'M':
    case 'm':
      return 20;
    case 'G':
    case 'g':
      return 30;
    case 'T':
    case 't':
      return 40;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<uint64_t> ParseSize(std::string_view text) {
  // from_chars takes no sign for an unsigned type, no space and no "0x": what it refuses is no
  // size.
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) {
    return std::nullopt;
  }
  const std::optional<int> shift = ShiftOf(text.substr(static_cast<size_t>(end - text.data())));
  if (!shift || (number << *shift) >> *shift != number) {
    return std::nullopt;
  }
  return number << *shift;
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1024) {
    return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  }
  static constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would print as "1024.0" of the smaller unit.
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string FormatRate(uint64_t bytes, double seconds) {
  if (!(seconds > 0)) {
    return "-";
  }
  const double rate = static_cast<double>(bytes) / seconds;
  return FormatBytes(rate < 1e18 ? static_cast<uint64_t>(rate) : UINT64_C(1000000000000000000)) +
         "/s";
}

std::string FormatSeconds(double seconds) {
  std::array<char, 48> text;
  const double bounded = seconds >= 0 && seconds < 1e9 ? seconds : 1e9;
  if (bounded < 9.9995) {
    std::snprintf(text.data(), text.size(), "%.3f s", bounded);
    return text.data();
  }
  const auto whole = static_cast<uint64_t>(std::llround(bounded));
  if (whole < 60) {
    std::snprintf(text.data(), text.size(), "%" PRIu64 " s", whole);
  } else if (whole < 3600) {
    std::snprintf(text.data(), text.size(), "%" PRIu64 ":%02" PRIu64, whole / 60, whole % 60);
  } else {
    std::snprintf(text.data(), text.size(), "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, whole / 3600,
                  whole / 60 % 60, whole % 60);
  }
  return text.data();
}

}  // namespace moor
