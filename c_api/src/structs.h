// Structs that grow: the first field, struct_size, is the size of the struct that the caller knows.
//
// Input, as in openat2(2) and clone3(2): in a smaller struct the missing fields are zero. A larger
// struct is accepted if all bytes that this library does not know are zero. Output: the library
// writes the fields that both sides know, and zeroes the rest of a larger struct. A struct_size
// above 4096 is rejected: the caller has not set it, and the library would read or write memory
// beyond the struct.
#ifndef MOORING_C_API_SRC_STRUCTS_H_
#define MOORING_C_API_SRC_STRUCTS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "cpp/base/status.h"
#include "mooring/mooring.h"

namespace mooring::c_api {

// The part that does not depend on the type. `first_bytes` is kFirstBytes of the struct.
Status CopyIn(const void* from, void* to, size_t our_bytes, size_t first_bytes, const char* name);
Status CopyOut(const void* from, void* to, size_t our_bytes, size_t first_bytes, const char* name);

// Size of each struct in the release that introduced it. These numbers never change: when a struct
// grows, older callers still pass the size that they know.
template <typename T>
inline constexpr size_t kFirstBytes = 0;
template <>
inline constexpr size_t kFirstBytes<mooring_slab_options_t> = 48;
template <>
inline constexpr size_t kFirstBytes<mooring_slab_info_t> = 352;
template <>
inline constexpr size_t kFirstBytes<mooring_ring_options_t> = 40;
template <>
inline constexpr size_t kFirstBytes<mooring_ring_info_t> = 832;
template <>
inline constexpr size_t kFirstBytes<mooring_ring_stats_t> = 120;
template <>
inline constexpr size_t kFirstBytes<mooring_registration_options_t> = 24;
template <>
inline constexpr size_t kFirstBytes<mooring_registration_info_t> = 1096;
template <>
inline constexpr size_t kFirstBytes<mooring_extent_info_t> = 40;
template <>
inline constexpr size_t kFirstBytes<mooring_facts_t> = 952;

// Reads the caller's options into `*to`. NULL means default in every field.
template <typename T>
Status ReadOptions(const T* from, T* to, const char* name) {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(kFirstBytes<T> > 0, "c_api/src/structs.h: add the struct to kFirstBytes");
  *to = T{};
  to->struct_size = sizeof(T);
  if (from == nullptr) return OkStatus();
  return CopyIn(from, to, sizeof(T), kFirstBytes<T>, name);
}

// Writes `from` to the caller's struct, and keeps the struct_size there.
template <typename T>
Status WriteInfo(T& from, T* to, const char* name) {
  static_assert(std::is_trivially_copyable_v<T>);
  static_assert(kFirstBytes<T> > 0, "c_api/src/structs.h: add the struct to kFirstBytes");
  return CopyOut(&from, to, sizeof(T), kFirstBytes<T>, name);
}

// Copies text into a char array of an info struct. Text that does not fit is cut. The array ends
// with NUL.
template <size_t N>
void CopyText(const std::string& from, char (&to)[N]) {
  const size_t bytes = from.size() < N - 1 ? from.size() : N - 1;
  std::memcpy(to, from.data(), bytes);
  std::memset(to + bytes, 0, N - bytes);
}

}  // namespace mooring::c_api

#endif  // MOORING_C_API_SRC_STRUCTS_H_
