// errors.h: assertions on mooring_error_t*. They print message and remedy and destroy the error.
//
//   ASSERT_OK(mooring_ring_create(&options, &ring));
//   EXPECT_REFUSED(mooring_slab_acquire(slab, 0, &lease), MOORING_CODE_INVALID_ARGUMENT,
//                  "buffer_count");
//
// EXPECT_REFUSED also checks that the error is complete: it has a message, a remedy and a known
// retry class, and its message or remedy contains each of the words after the code.
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_ERRORS_H_
#define MOORING_TESTING_SUPPORT_ERRORS_H_

#include <gtest/gtest.h>
#include <mooring/error.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mooring::conformance {

// The fields of an error. Take copies them and destroys the error.
struct Failure {
  mooring_code_t code = MOORING_CODE_OK;
  int32_t system_error = 0;
  mooring_retry_t retry = MOORING_RETRY_NEVER;
  std::string message;
  std::string remedy;

  bool ok() const { return code == MOORING_CODE_OK; }
  std::string ToString() const;
};

// Destroys `error`.
Failure Take(mooring_error_t* error);

// Destroys `error`. True when it is NULL.
::testing::AssertionResult IsOk(mooring_error_t* error);

// Destroys `error`. True when it has `code`, is complete, and contains each of `words` in any
// letter case.
::testing::AssertionResult IsRefused(mooring_error_t* error, mooring_code_t code,
                                     const std::vector<std::string>& words = {});

// True when `text` contains `word` in any letter case.
bool ContainsIgnoringCase(const std::string& text, const std::string& word);

// True when `text` states this size, in messages' form: "65,536 bytes" is part of it.
bool ContainsSize(const std::string& text, uint64_t bytes);

}  // namespace mooring::conformance

#define ASSERT_OK(call) ASSERT_TRUE(::mooring::conformance::IsOk(call))
#define EXPECT_OK(call) EXPECT_TRUE(::mooring::conformance::IsOk(call))
#define ASSERT_REFUSED(call, code, ...) \
  ASSERT_TRUE(::mooring::conformance::IsRefused(call, code, {__VA_ARGS__}))
#define EXPECT_REFUSED(call, code, ...) \
  EXPECT_TRUE(::mooring::conformance::IsRefused(call, code, {__VA_ARGS__}))

#endif  // MOORING_TESTING_SUPPORT_ERRORS_H_
