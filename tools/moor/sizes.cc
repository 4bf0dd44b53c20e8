#include "tools/moor/sizes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace moor {
namespace {

// The left shift for the number before this suffix, or nothing if the suffix is not valid.
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

constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

std::string FormatSmall(uint64_t bytes) {
  return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
}

}  // namespace

std::optional<uint64_t> ParseSize(std::string_view text) {
  // For an unsigned type, from_chars accepts no sign, no space and no "0x".
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

std::string FormatCount(uint64_t count) {
  std::string digits = std::to_string(count);
  for (size_t left = digits.size(); left > 3;) {
    left -= 3;
    digits.insert(left, 1, ',');
  }
  return digits;
}

std::string FormatBytes(uint64_t bytes) {
  if (bytes < 1024) {
    return FormatSmall(bytes);
  }
  // Integers only: a double has too few digits for sizes above 2^53.
  int shift = 10;
  size_t unit = 0;
  while (unit + 1 < kUnits.size() && bytes >> (shift + 10) != 0) {
    shift += 10;
    ++unit;
  }
  const uint64_t rest = bytes & ((UINT64_C(1) << shift) - 1);
  std::string number = std::to_string(bytes >> shift);
  if (rest != 0) {
    // Ten times a rest of 60 bits does not fit into 64 bits, so only its upper 16 bits are used.
    const int surplus = std::max(shift - 16, 0);
    const uint64_t tenth = ((rest >> surplus) * 10) >> (shift - surplus);
    const bool half = rest == UINT64_C(1) << (shift - 1);
    number = (half ? "" : "about ") + number + "." + std::to_string(tenth);
  }
  return number + " " + kUnits[unit] + " (" + FormatCount(bytes) + " bytes)";
}

std::string FormatBytesShort(uint64_t bytes) {
  if (bytes < 1024) {
    return FormatSmall(bytes);
  }
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would be formatted as "1024.0".
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
  return FormatBytesShort(rate < 1e18 ? static_cast<uint64_t>(rate)
                                      : UINT64_C(1000000000000000000)) +
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
