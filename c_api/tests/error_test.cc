#include "mooring/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "mooring/mooring.h"

namespace {

TEST(Error, NullIsSuccess) {
  EXPECT_EQ(mooring_error_code(nullptr), MOORING_CODE_OK);
  EXPECT_STREQ(mooring_error_message(nullptr), "");
  EXPECT_STREQ(mooring_error_remedy(nullptr), "");
  EXPECT_EQ(mooring_error_system_error(nullptr), 0);
  EXPECT_EQ(mooring_error_retry(nullptr), uint32_t{MOORING_RETRY_NEVER});
  mooring_error_destroy(nullptr);
}

TEST(Error, HasMessageRemedyAndRetryClass) {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = 1000;
  mooring_slab_t* slab =
      reinterpret_cast<mooring_slab_t*>(&options);  // not NULL, to check that the call sets it
  mooring_error_t* error = mooring_slab_create(&options, &slab);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(slab, nullptr);
  EXPECT_EQ(mooring_error_code(error), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  EXPECT_NE(std::string(mooring_error_message(error)).find("1000"), std::string::npos)
      << mooring_error_message(error);
  EXPECT_NE(std::string(mooring_error_remedy(error)), "");
  EXPECT_EQ(mooring_error_retry(error), uint32_t{MOORING_RETRY_NEVER});
  mooring_error_destroy(error);
}

TEST(Error, OnTheDataPathIsConstantAndMayBeDestroyedTwice) {
  mooring_error_t* error = mooring_slab_release(nullptr, mooring_lease_t{});
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(mooring_error_code(error), uint32_t{MOORING_CODE_INVALID_ARGUMENT});
  mooring_error_destroy(error);
  mooring_error_destroy(error);
  EXPECT_EQ(error, mooring_slab_release(nullptr, mooring_lease_t{}));
}

TEST(Error, CodesHaveNames) {
  for (uint32_t code = MOORING_CODE_OK; code <= MOORING_CODE_INTERNAL; ++code) {
    EXPECT_STRNE(mooring_code_name(code), "UNKNOWN") << code;
  }
  EXPECT_STREQ(mooring_code_name(MOORING_CODE_MEMLOCK_LIMIT), "MEMLOCK_LIMIT");
  EXPECT_STREQ(mooring_code_name(MOORING_CODE_INTERNAL + 1), "UNKNOWN");
  EXPECT_STREQ(mooring_code_name(UINT32_MAX), "UNKNOWN");
}

}  // namespace
