#include "c_api/src/structs.h"

#include <algorithm>
#include <cinttypes>

#include "cpp/base/format.h"

namespace mooring::c_api {
namespace {

// The same limit as in openat2(2), one page. A larger struct_size has not been set.
constexpr size_t kMostBytes = 4096;

// Every struct that grows begins with uint32_t struct_size.
uint32_t SizeOf(const void* object) {
  uint32_t bytes = 0;
  std::memcpy(&bytes, object, sizeof bytes);
  return bytes;
}

Status CheckSize(const void* object, size_t first_bytes, const char* name) {
  if (object == nullptr) {
    return InvalidArgument(Format("%s is NULL", name),
                           "pass a pointer to the struct, with struct_size set");
  }
  const uint32_t bytes = SizeOf(object);
  if (bytes < first_bytes) {
    return InvalidArgument(
        Format("%s.struct_size is %" PRIu32 ", below %zu, the smallest of any release", name, bytes,
               first_bytes),
        Format("set struct_size to sizeof(%s)", name));
  }
  if (bytes > kMostBytes) {
    return InvalidArgument(
        Format("%s.struct_size is %" PRIu32 ", above the limit of %zu", name, bytes, kMostBytes),
        Format("set struct_size to sizeof(%s)", name));
  }
  return OkStatus();
}

}  // namespace

Status CopyIn(const void* from, void* to, size_t our_bytes, size_t first_bytes, const char* name) {
  RETURN_IF_ERROR(CheckSize(from, first_bytes, name));
  const size_t their_bytes = SizeOf(from);
  const unsigned char* bytes = static_cast<const unsigned char*>(from);
  for (size_t i = our_bytes; i < their_bytes; ++i) {
    if (bytes[i] == 0) continue;
    return Status(
        Code::kUnsupported, Retry::kNever,
        Format("%s has a field at byte %zu that this library does not know (it knows %zu bytes)",
               name, i, our_bytes),
        "leave newer options at zero, or load a newer libmooring");
  }
  std::memcpy(to, from, std::min(our_bytes, their_bytes));
  return OkStatus();
}

Status CopyOut(const void* from, void* to, size_t our_bytes, size_t first_bytes, const char* name) {
  RETURN_IF_ERROR(CheckSize(to, first_bytes, name));
  const uint32_t their_bytes = SizeOf(to);
  std::memcpy(to, from, std::min<size_t>(our_bytes, their_bytes));
  if (their_bytes > our_bytes)
    std::memset(static_cast<char*>(to) + our_bytes, 0, their_bytes - our_bytes);
  std::memcpy(to, &their_bytes, sizeof their_bytes);
  return OkStatus();
}

}  // namespace mooring::c_api
