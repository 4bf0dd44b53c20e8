// pattern.h: bytes that tell where they come from, so that every byte moved can be checked.
//
// Byte `i` of a pattern depends on the seed and on `i` alone: a read at the wrong offset, a page
// swapped for another and a byte left as it was all show.
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

// Names the first byte that differs.
::testing::AssertionResult HasPattern(const void* data, uint64_t seed, uint64_t offset,
                                      uint64_t size);

// Every byte of [data, data + size) is `value`; names the first that is not.
::testing::AssertionResult IsAll(const void* data, std::byte value, uint64_t size);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PATTERN_H_
