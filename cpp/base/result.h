// Result<T>: a T, or the Status of the error that prevented it.
#ifndef MOORING_CPP_BASE_RESULT_H_
#define MOORING_CPP_BASE_RESULT_H_

#include <optional>
#include <utility>

#include "cpp/base/check.h"
#include "cpp/base/status.h"

namespace mooring {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT: implicit by design
  Result(Status status) : status_(std::move(status)) { CHECK(!status_.ok()); }  // NOLINT

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  // Moves the error out. Call it only if !ok().
  Status TakeStatus() { return std::move(status_); }

  T& value() & {
    CHECK(ok());
    return *value_;
  }
  const T& value() const& {
    CHECK(ok());
    return *value_;
  }
  T&& value() && {
    CHECK(ok());
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace mooring

// ASSIGN_OR_RETURN(auto slab, Slab::Create(options));
#define ASSIGN_OR_RETURN(declaration, expression) \
  MOORING_ASSIGN_OR_RETURN(MOORING_CONCAT(mooring_result_, __LINE__), declaration, expression)
#define MOORING_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                     \
  if (!result.ok()) return result.TakeStatus();                   \
  declaration = std::move(result).value()

#endif  // MOORING_CPP_BASE_RESULT_H_
