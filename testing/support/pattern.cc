#include "testing/support/pattern.h"

namespace mooring::conformance {

std::byte PatternByte(uint64_t seed, uint64_t offset) {
  // One multiply and two shifts spread any change of seed or offset over all bits.
  uint64_t mixed = (offset + 1) * 0x9e3779b97f4a7c15u + seed * 0xbf58476d1ce4e5b9u;
  mixed ^= mixed >> 29;
  mixed *= 0x94d049bb133111ebu;
  return static_cast<std::byte>(mixed >> 56);
}

void FillPattern(void* data, uint64_t seed, uint64_t offset, uint64_t size) {
  auto* bytes = static_cast<std::byte*>(data);
  for (uint64_t i = 0; i < size; ++i) bytes[i] = PatternByte(seed, offset + i);
}

std::vector<std::byte> Pattern(uint64_t seed, uint64_t offset, uint64_t size) {
  std::vector<std::byte> bytes(size);
  FillPattern(bytes.data(), seed, offset, size);
  return bytes;
}

::testing::AssertionResult HasPattern(const void* data, uint64_t seed, uint64_t offset,
                                      uint64_t size) {
  const auto* bytes = static_cast<const std::byte*>(data);
  for (uint64_t i = 0; i < size; ++i) {
    if (bytes[i] == PatternByte(seed, offset + i)) continue;
    return ::testing::AssertionFailure()
           << "byte " << i << " of " << size << " is " << static_cast<int>(bytes[i]) << ", not "
           << static_cast<int>(PatternByte(seed, offset + i)) << " (pattern " << seed << " at "
           << offset + i << ")";
  }
  return ::testing::AssertionSuccess();
}

::testing::AssertionResult IsAll(const void* data, std::byte value, uint64_t size) {
  const auto* bytes = static_cast<const std::byte*>(data);
  for (uint64_t i = 0; i < size; ++i) {
    if (bytes[i] == value) continue;
    return ::testing::AssertionFailure()
           << "byte " << i << " of " << size << " is " << static_cast<int>(bytes[i]) << ", not "
           << static_cast<int>(value);
  }
  return ::testing::AssertionSuccess();
}

}  // namespace mooring::conformance
