#include "cpp/base/status.h"

#include <cerrno>
#include <cstring>
#include <new>

#include "cpp/base/check.h"

namespace mooring {
namespace {

constexpr ErrorDetail kNoMemoryForError =
    ConstantError(Code::kExhausted, Retry::kLater, "out of memory while reporting an error",
                  "free memory in this process, or raise its limit", ENOMEM);

// One allocation: the detail, then both texts.
const ErrorDetail* MakeDetail(Code code, Retry retry, std::string_view message,
                              std::string_view remedy, int32_t system_error) {
  const size_t bytes = sizeof(ErrorDetail) + message.size() + 1 + remedy.size() + 1;
  void* memory = ::operator new(bytes, std::nothrow);
  if (memory == nullptr) return &kNoMemoryForError;
  char* text = static_cast<char*>(memory) + sizeof(ErrorDetail);
  char* remedy_text = text + message.size() + 1;
  if (!message.empty()) std::memcpy(text, message.data(), message.size());
  text[message.size()] = '\0';
  if (!remedy.empty()) std::memcpy(remedy_text, remedy.data(), remedy.size());
  remedy_text[remedy.size()] = '\0';
  return new (memory) ErrorDetail{code, retry, system_error, false, text, remedy_text};
}

struct CodeForErrno {
  Code code;
  Retry retry;
};

CodeForErrno ClassifyErrno(int error) {
  switch (error) {
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
      return {Code::kExhausted, Retry::kAfterRemedy};
    case EAGAIN:
    case EBUSY:
    case ENOBUFS:
      return {Code::kExhausted, Retry::kLater};
    case EPERM:
    case EACCES:
      return {Code::kPermission, Retry::kAfterRemedy};
    case ENOENT:
    case ENXIO:
    case ENODEV:
      return {Code::kNotFound, Retry::kNever};
    case ENOSYS:
    case EOPNOTSUPP:
      return {Code::kUnsupported, Retry::kNever};
    case EINVAL:
    case EBADF:
      return {Code::kInvalidArgument, Retry::kNever};
    case ECANCELED:
      return {Code::kCancelled, Retry::kLater};
    case ETIME:
    case ETIMEDOUT:
      return {Code::kTimeout, Retry::kLater};
    default:
      return {Code::kIo, Retry::kNever};
  }
}

}  // namespace

Status::Status(Code code, Retry retry, std::string_view message, std::string_view remedy,
               int32_t system_error)
    : detail_(MakeDetail(code, retry, message, remedy, system_error)) {
  DCHECK(code != Code::kOk);
}

void Status::Destroy(const ErrorDetail* detail) {
  if (detail == nullptr || detail->constant) return;
  ::operator delete(const_cast<ErrorDetail*>(detail));
}

Status InvalidArgument(std::string_view message, std::string_view remedy) {
  return Status(Code::kInvalidArgument, Retry::kNever, message, remedy, EINVAL);
}

Status ErrnoStatus(int error, std::string_view what, std::string_view remedy) {
  const CodeForErrno classified = ClassifyErrno(error);
  char reason[128];
  // The GNU strerror_r: thread-safe, and may return a static string instead of filling `reason`.
  const char* text = strerror_r(error, reason, sizeof reason);
  std::string message(what);
  message += ": ";
  message += text;
  return Status(classified.code, classified.retry, message, remedy, error);
}

const char* CodeName(Code code) {
  static constexpr const char* kNames[] = {
      "OK",          "INVALID_ARGUMENT", "INVALID_STATE", "NOT_FOUND", "PERMISSION",
      "UNSUPPORTED", "EXHAUSTED",        "MEMLOCK_LIMIT", "CANCELLED", "TIMEOUT",
      "IO",          "DATA_SHORT",       "DEVICE",        "FORKED",    "INTERNAL",
  };
  const uint32_t index = static_cast<uint32_t>(code);
  if (index >= sizeof kNames / sizeof kNames[0]) return "UNKNOWN";
  return kNames[index];
}

}  // namespace mooring
