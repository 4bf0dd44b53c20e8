#include "cpp/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace mooring {
namespace {

constexpr ErrorDetail kBroken =
    ConstantError(Code::kIo, Retry::kNever, "it is broken", "fix it", 5);

Result<int> Half(int number) {
  if (number % 2 != 0) return InvalidArgument("an odd number has no half", "pass an even one");
  return number / 2;
}

Result<std::string> QuarterAsText(int number) {
  ASSIGN_OR_RETURN(const int half, Half(number));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return std::to_string(quarter);
}

Result<int> FailOrReturn42(const ErrorDetail* error) {
  RETURN_IF_ERROR(error == nullptr ? OkStatus() : Status(*error));
  return 42;
}

TEST(Result, HoldsAValue) {
  const Result<int> result = Half(42);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value(), 21);
  EXPECT_TRUE(result.status().ok());
}

TEST(Result, HoldsAnError) {
  const Result<int> result = Half(41);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), Code::kInvalidArgument);
  EXPECT_STREQ(result.status().message(), "an odd number has no half");
}

TEST(Result, TakeStatusMovesTheError) {
  Result<int> result = Status(kBroken);
  const Status status = result.TakeStatus();
  EXPECT_EQ(status.code(), Code::kIo);
  EXPECT_FALSE(result.ok());
}

TEST(Result, MovesAValueThatCannotBeCopied) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> value = std::move(result).value();
  EXPECT_EQ(*value, 7);
}

TEST(Result, ValueCanBeChangedInPlace) {
  Result<std::string> result(std::string("fast"));
  result.value() += "er";
  EXPECT_EQ(result.value(), "faster");
}

TEST(AssignOrReturn, AssignsUntilTheFirstError) {
  const Result<std::string> quarter = QuarterAsText(12);
  ASSERT_TRUE(quarter.ok());
  EXPECT_EQ(quarter.value(), "3");
  EXPECT_EQ(QuarterAsText(6).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(QuarterAsText(5).status().code(), Code::kInvalidArgument);
}

TEST(ReturnIfError, ReturnsOnlyErrors) {
  const Result<int> result = FailOrReturn42(nullptr);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value(), 42);
  EXPECT_STREQ(FailOrReturn42(&kBroken).status().message(), "it is broken");
}

TEST(ResultDeathTest, SuccessWithoutAValueFailsACheck) {
  EXPECT_DEATH((void)Result<int>(OkStatus()), "check failed");
}

TEST(ResultDeathTest, TheValueOfAnErrorFailsACheck) {
  const Result<int> result = Half(41);
  EXPECT_DEATH((void)result.value(), "check failed");
}

}  // namespace
}  // namespace mooring
