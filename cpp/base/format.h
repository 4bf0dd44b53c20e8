// Format: builds texts for messages, remedies and notes. It allocates: do not use it on the data
// path.
//
// Threading: any thread.
//
//   Format("cannot map %s", FormatBytes(size_bytes).c_str())
//       -> "cannot map 64 KiB (65,536 bytes)"
#ifndef MOORING_CPP_BASE_FORMAT_H_
#define MOORING_CPP_BASE_FORMAT_H_

#include <cstdint>
#include <string>

namespace mooring {

// printf(3) into a string. The compiler checks the arguments.
[[gnu::format(printf, 1, 2)]] std::string Format(const char* format, ...);

// "512 bytes", "64 KiB (65,536 bytes)", "1.5 MiB (1,572,864 bytes)". A size that is not a multiple
// of half a unit begins with "about" and has one digit after the point: "about 8.0 MiB (8,388,609
// bytes)".
std::string FormatBytes(uint64_t bytes);

// The digits in groups of three: "65,536".
std::string FormatCount(uint64_t count);

}  // namespace mooring

#endif  // MOORING_CPP_BASE_FORMAT_H_
