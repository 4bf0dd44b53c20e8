// Sizes: numbers of bytes as people write and read them. 64K is 64 x 1024.
//
// Threading: pure functions, any thread.
//
//   std::optional<uint64_t> bytes = ParseSize("64M");  // 67108864
//   std::string text = FormatBytes(*bytes);            // "64.0 MiB"
#ifndef MOORING_TOOLS_MOOR_SIZES_H_
#define MOORING_TOOLS_MOOR_SIZES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moor {

// A decimal number, then nothing, B, or one of K M G T in either case with an optional "iB".
// Nothing else, and nothing above 2^64 - 1, is a size.
std::optional<uint64_t> ParseSize(std::string_view text);

// "0 bytes", "1 byte", "1023 bytes", "1.5 KiB", "70.0 MiB".
std::string FormatBytes(uint64_t bytes);

// "1.2 GiB/s"; "-" where no time has passed.
std::string FormatRate(uint64_t bytes, double seconds);

// "0.123 s" below ten seconds, "59 s", "12:34", "1:02:03".
std::string FormatSeconds(double seconds);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SIZES_H_
