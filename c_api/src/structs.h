// The rule for structs that grow: the first member says how large the caller's version is.
//
// Input, as openat2(2) and clone3(2) do it: smaller than ours means that the missing fields are
// zero; larger is fine as long as what we do not know is zero. Output: what both know is written,
// and a tail that only the caller knows is zeroed. A struct_size above 4096 is refused: it was
// never set, and would have us read or write the caller's memory.
#ifndef MOORING_C_API_SRC_STRUCTS_H_
#define MOORING_C_API_SRC_STRUCTS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "cpp/base/status.h"
#include "mooring/registration.h"
#include "mooring/slab.h"

namespace mooring::c_api {

// The part that does not depend on the type. `first_bytes` is the struct's size in the release that
// introduced it.
Status CopyIn(const void* from, void* to, size_t our_bytes, size_t first_bytes, const char* name);
Status CopyOut(const void* from, void* to, size_t our_bytes, size_t first_bytes, const char* name);

// Size of each struct in the release that had it first. A struct that grows keeps its number here.
template <typename T>
inline constexpr size_t kFirstBytes = sizeof(T);
template <>
inline constexpr size_t kFirstBytes<mooring_registration_info_t> =
    offsetof(mooring_registration_info_t, bytes_cloned);
template <>
inline constexpr size_t kFirstBytes<mooring_extent_info_t> = offsetof(mooring_extent_info_t,
                                                                      source);
template <>
inline constexpr size_t kFirstBytes<mooring_slab_options_t> = offsetof(mooring_slab_options_t,
                                                                       buffer_count_max);
template <>
inline constexpr size_t kFirstBytes<mooring_slab_info_t> = offsetof(mooring_slab_info_t,
                                                                    buffer_count_max);

// Null options are all default.
template <typename T>
Status ReadOptions(const T* from, T* to, const char* name) {
  static_assert(std::is_trivially_copyable_v<T>);
  *to = T{};
  to->struct_size = sizeof(T);
  if (from == nullptr) return OkStatus();
  return CopyIn(from, to, sizeof(T), kFirstBytes<T>, name);
}

template <typename T>
Status WriteInfo(T& from, T* to, const char* name) {
  static_assert(std::is_trivially_copyable_v<T>);
  return CopyOut(&from, to, sizeof(T), kFirstBytes<T>, name);
}

// Copies text into a char array of an info struct, cut to what fits, NUL-terminated.
template <size_t N>
void CopyText(const std::string& from, char (&to)[N]) {
  const size_t bytes = from.size() < N - 1 ? from.size() : N - 1;
  std::memcpy(to, from.data(), bytes);
  std::memset(to + bytes, 0, N - bytes);
}

}  // namespace mooring::c_api

#endif  // MOORING_C_API_SRC_STRUCTS_H_
