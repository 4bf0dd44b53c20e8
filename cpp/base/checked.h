// Arithmetic that reports overflow, and rounding to powers of two.
#ifndef MOORING_CPP_BASE_CHECKED_H_
#define MOORING_CPP_BASE_CHECKED_H_

#include <cstdint>
#include <optional>

#include "cpp/base/check.h"

namespace mooring {

constexpr std::optional<uint64_t> CheckedAdd(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

constexpr std::optional<uint64_t> CheckedMultiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

constexpr bool IsPowerOfTwo(uint64_t value) { return value != 0 && (value & (value - 1)) == 0; }

// `alignment` is a power of two.
constexpr uint64_t AlignDown(uint64_t value, uint64_t alignment) {
  return value & ~(alignment - 1);
}
constexpr bool IsAligned(uint64_t value, uint64_t alignment) {
  return (value & (alignment - 1)) == 0;
}
// Returns nullopt if the result would overflow.
constexpr std::optional<uint64_t> CheckedAlignUp(uint64_t value, uint64_t alignment) {
  const std::optional<uint64_t> raised = CheckedAdd(value, alignment - 1);
  if (!raised) return std::nullopt;
  return AlignDown(*raised, alignment);
}

// The smallest power of two that is at least `value`; 1 for 0. `value` is at most 2^31.
constexpr uint32_t RoundUpToPowerOfTwo(uint32_t value) {
  CHECK(value <= uint32_t{1} << 31);  // otherwise the loop would not end
  uint32_t power = 1;
  while (power < value) power <<= 1;
  return power;
}

}  // namespace mooring

#endif  // MOORING_CPP_BASE_CHECKED_H_
