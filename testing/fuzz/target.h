// target.h: the interface of a fuzz target: one run on one input, and a corpus of valid inputs.
//
// A target aborts the program when a claim is violated, as a fuzzer expects.
//
// Threading: one thread.
#ifndef MOORING_TESTING_FUZZ_TARGET_H_
#define MOORING_TESTING_FUZZ_TARGET_H_

#include <mooring/error.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mooring::fuzz {

// Defined once in each target.
void RunOnInput(const uint8_t* data, size_t size);
std::vector<std::vector<uint8_t>> Corpus();

[[noreturn]] void Fail(const char* claim, const char* file, int line);

// Takes ownership of `error` and returns its code. An error without message or remedy fails.
mooring_code_t CodeOf(mooring_error_t* error);

}  // namespace mooring::fuzz

#define CLAIM(claim)                                                 \
  do {                                                               \
    if (!(claim)) ::mooring::fuzz::Fail(#claim, __FILE__, __LINE__); \
  } while (false)

#endif  // MOORING_TESTING_FUZZ_TARGET_H_
