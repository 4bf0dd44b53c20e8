// ProcFile: short texts that the kernel keeps in /proc and /sys.
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

// The whole file, at most 64 KiB of it; nullopt when it cannot be committed or read.
std::optional<std::string> ReadSmallFile(const char* path);

// The decimal number at the start of the file; nullopt when there is none.
std::optional<uint64_t> ReadNumberFile(const char* path);

// The decimal number at the start of `text`, after blanks; nullopt when there is none or it does
// not fit.
std::optional<uint64_t> ParseNumber(std::string_view text);

// Gives `visit` every line, without its end, until it returns false. A line longer than 4 KiB comes
// cut. Returns 0 or the errno of open(2) or read(2). A file of any length takes the same memory,
// and what is behind the line where `visit` stopped is never made by the kernel.
int ForEachLine(const char* path, const std::function<bool(std::string_view)>& visit);

}  // namespace mooring

#endif  // MOORING_CPP_OS_PROC_FILE_H_
