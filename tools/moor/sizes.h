// Sizes: parses and formats sizes, rates and durations. 64K is 64 x 1024 bytes.
//
// Threading: pure functions, any thread.
//
//   std::optional<uint64_t> bytes = ParseSize("64M");  // 67108864
//   std::string text = FormatBytes(*bytes);            // "64 MiB (67,108,864 bytes)"
#ifndef MOORING_TOOLS_MOOR_SIZES_H_
#define MOORING_TOOLS_MOOR_SIZES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moor {

// Parses a decimal number with an optional suffix: B, or one of K, M, G, T in either case with an
// optional "iB". Returns nothing for any other text and for a size above 2^64 - 1.
std::optional<uint64_t> ParseSize(std::string_view text);

// "1 byte", "512 bytes", "64 KiB (65,536 bytes)", "1.5 MiB (1,572,864 bytes)". If the first number
// is not exact, "about" precedes it: "about 8.0 MiB (8,388,609 bytes)". The same as in the messages
// of the library.
std::string FormatBytes(uint64_t bytes);

// For progress and rates, which need no exact number: "1023 bytes", "1.5 KiB", "70.0 MiB".
std::string FormatBytesShort(uint64_t bytes);

// Digits in groups of three: "65,536".
std::string FormatCount(uint64_t count);

// "1.2 GiB/s"; "-" if `seconds` is 0.
std::string FormatRate(uint64_t bytes, double seconds);

// "0.123 s" below ten seconds, "59 s", "12:34", "1:02:03".
std::string FormatSeconds(double seconds);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SIZES_H_
