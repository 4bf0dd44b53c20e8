// pattern.h: bytes that depend on their place, so that a test can check every byte that was moved.
//
// Byte `i` of a pattern depends only on the seed and on `i`. So a check detects a read at the wrong
// offset, a swapped page, and a byte that was not written.
//
//   std::vector<std::byte> bytes = Pattern(7, 0, 4096);
//   EXPECT_TRUE(HasPattern(data, 7, /*offset=*/512, 1024));
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_PATTERN_H_
#define MOORING_TESTING_SUPPORT_PATTERN_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mooring::conformance {

std::byte PatternByte(uint64_t seed, uint64_t offset);

// `size` bytes of pattern `seed`, from its byte `offset` on.
std::vector<std::byte> Pattern(uint64_t seed, uint64_t offset, uint64_t size);
void FillPattern(void* data, uint64_t seed, uint64_t offset, uint64_t size);

// Reports the first byte that differs.
::testing::AssertionResult HasPattern(const void* data, uint64_t seed, uint64_t offset,
                                      uint64_t size);

// True when every byte of [data, data + size) is `value`. Reports the first that is not.
::testing::AssertionResult IsAll(const void* data, std::byte value, uint64_t size);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PATTERN_H_
