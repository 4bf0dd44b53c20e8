#include "testing/support/errors.h"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace mooring::conformance {

std::string Failure::ToString() const {
  if (ok()) return "success";
  std::string text = mooring_code_name(code);
  text += ": " + message;
  if (system_error != 0)
    text += " (errno " + std::to_string(system_error) + ": " + std::strerror(system_error) + ")";
  return text + "\n  remedy: " + remedy;
}

Failure Take(mooring_error_t* error) {
  Failure failure{
      .code = mooring_error_code(error),
      .system_error = mooring_error_system_error(error),
      .retry = mooring_error_retry(error),
      .message = mooring_error_message(error),
      .remedy = mooring_error_remedy(error),
  };
  mooring_error_destroy(error);
  return failure;
}

::testing::AssertionResult IsOk(mooring_error_t* error) {
  if (error == nullptr) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << Take(error).ToString();
}

::testing::AssertionResult IsRefused(mooring_error_t* error, mooring_code_t code,
                                     const std::vector<std::string>& words) {
  const Failure failure = Take(error);
  const auto fail = [&failure](const std::string& why) {
    return ::testing::AssertionFailure() << why << ", got " << failure.ToString();
  };
  if (failure.code != code) return fail(std::string("expected ") + mooring_code_name(code));
  if (failure.message.empty()) return fail("expected a message");
  if (failure.remedy.empty()) return fail("expected a remedy");
  if (failure.retry > MOORING_RETRY_AFTER_REMEDY) return fail("expected a known retry class");
  for (const std::string& word : words) {
    if (!ContainsIgnoringCase(failure.message + " " + failure.remedy, word))
      return fail("expected it to contain \"" + word + "\"");
  }
  return ::testing::AssertionSuccess();
}

bool ContainsIgnoringCase(const std::string& text, const std::string& word) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

bool ContainsSize(const std::string& text, uint64_t bytes) {
  std::string digits = std::to_string(bytes);
  for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  const size_t found = text.find(digits + " byte");
  // Not the end of a longer number.
  return found != std::string::npos &&
         (found == 0 || text[found - 1] == '(' || text[found - 1] == ' ');
}

}  // namespace mooring::conformance
