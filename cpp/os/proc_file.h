// ProcFile: reads short text files in /proc and /sys.
//
// Threading: any thread.
//
//   const std::optional<uint64_t> mode = ReadNumberFile("/proc/sys/kernel/io_uring_disabled");
#ifndef MOORING_CPP_OS_PROC_FILE_H_
#define MOORING_CPP_OS_PROC_FILE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mooring {

// The content of the file, at most 64 KiB; nullopt if it cannot be opened or read.
std::optional<std::string> ReadSmallFile(const char* path);

// The decimal number at the start of the file; nullopt if there is none.
std::optional<uint64_t> ReadNumberFile(const char* path);

// The decimal number at the start of `text`, after blanks; nullopt if there is none or it does not
// fit into 64 bits.
std::optional<uint64_t> ParseNumber(std::string_view text);

// Calls `visit` with every line, without its end, until it returns false. Lines longer than 4 KiB
// are truncated. Returns 0 or the errno of open(2) or read(2). The memory used does not depend on
// the length of the file. After `visit` returns false nothing more is read, so the kernel does not
// generate the rest.
int ForEachLine(const char* path, const std::function<bool(std::string_view)>& visit);

}  // namespace mooring

#endif  // MOORING_CPP_OS_PROC_FILE_H_
