// Status: the result of a call inside Mooring that can fail. One pointer; null is success.
//
// An error has a code (how the caller can react), a message (the failure, with numbers), a remedy,
// the errno of its cause and a retry class. These are the fields of mooring_error_t, to which c_api
// converts it without a copy. Errors of the data path are constants (ConstantError), so that a
// failure there allocates nothing.
//
// Threading: a Status is a value: one thread at a time.
#ifndef MOORING_CPP_BASE_STATUS_H_
#define MOORING_CPP_BASE_STATUS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mooring {

// Same numbers as mooring_code_t (asserted in c_api).
enum class Code : uint32_t {
  kOk = 0,
  kInvalidArgument = 1,
  kInvalidState = 2,
  kNotFound = 3,
  kPermission = 4,
  kUnsupported = 5,
  kExhausted = 6,
  kMemlockLimit = 7,
  kCancelled = 8,
  kTimeout = 9,
  kIo = 10,
  kDataShort = 11,
  kDevice = 12,
  kForked = 13,
  kInternal = 14,
};

// Same numbers as mooring_retry_t.
enum class Retry : uint32_t { kNever = 0, kLater = 1, kAfterRemedy = 2 };

// "MEMLOCK_LIMIT" for Code::kMemlockLimit; "UNKNOWN" for a number without a code.
const char* CodeName(Code code);

// The contents of an error. Strings are NUL-terminated and live as long as the object (see Status).
struct ErrorDetail {
  Code code = Code::kInternal;
  Retry retry = Retry::kNever;
  int32_t system_error = 0;  // positive errno
  bool constant = false;     // has static lifetime, is never freed
  const char* message = "";
  const char* remedy = "";
};

// For `static constexpr ErrorDetail kX = ConstantError(...)` on the data path.
constexpr ErrorDetail ConstantError(Code code, Retry retry, const char* message, const char* remedy,
                                    int32_t system_error = 0) {
  return ErrorDetail{code, retry, system_error, true, message, remedy};
}

class [[nodiscard]] Status {
 public:
  constexpr Status() = default;  // success
  // From a constant; allocates nothing.
  constexpr explicit Status(const ErrorDetail& constant) : detail_(&constant) {}
  // Copies both texts. If there is no memory for that, the error is a constant EXHAUSTED instead.
  // `code` is not kOk.
  Status(Code code, Retry retry, std::string_view message, std::string_view remedy,
         int32_t system_error = 0);
  ~Status() { Free(); }

  Status(Status&& other) noexcept : detail_(std::exchange(other.detail_, nullptr)) {}
  Status& operator=(Status&& other) noexcept {
    if (this != &other) {
      Free();
      detail_ = std::exchange(other.detail_, nullptr);
    }
    return *this;
  }
  Status(const Status&) = delete;
  Status& operator=(const Status&) = delete;

  bool ok() const { return detail_ == nullptr; }
  Code code() const { return detail_ ? detail_->code : Code::kOk; }
  Retry retry() const { return detail_ ? detail_->retry : Retry::kNever; }
  int32_t system_error() const { return detail_ ? detail_->system_error : 0; }
  const char* message() const { return detail_ ? detail_->message : ""; }
  const char* remedy() const { return detail_ ? detail_->remedy : ""; }

  // Passes the detail to the caller, which frees it with Destroy; null for success. Only c_api
  // calls these two functions.
  const ErrorDetail* Release() { return std::exchange(detail_, nullptr); }
  static void Destroy(const ErrorDetail* detail);

 private:
  void Free() {
    if (detail_ != nullptr && !detail_->constant) Destroy(detail_);
  }
  const ErrorDetail* detail_ = nullptr;
};

inline Status OkStatus() { return Status(); }

// INVALID_ARGUMENT, NEVER.
Status InvalidArgument(std::string_view message, std::string_view remedy);

// An error with the message "`what`: `strerror(error)`". `error` is a positive errno and decides on
// the code:
// - ENOMEM, EMFILE, ENFILE, ENOSPC, EDQUOT: EXHAUSTED (retry after the remedy)
// - EAGAIN, EBUSY, ENOBUFS: EXHAUSTED (retry later)
// - EPERM, EACCES: PERMISSION
// - ENOENT, ENXIO, ENODEV: NOT_FOUND
// - ENOSYS, EOPNOTSUPP: UNSUPPORTED
// - EINVAL, EBADF: INVALID_ARGUMENT
// - ECANCELED: CANCELLED
// - ETIME, ETIMEDOUT: TIMEOUT
// - other: IO
Status ErrnoStatus(int error, std::string_view what, std::string_view remedy);

#define MOORING_CONCAT_INNER(a, b) a##b
#define MOORING_CONCAT(a, b) MOORING_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                    \
  do {                                                 \
    ::mooring::Status mooring_status_ = (expression);  \
    if (!mooring_status_.ok()) return mooring_status_; \
  } while (false)

}  // namespace mooring

#endif  // MOORING_CPP_BASE_STATUS_H_
