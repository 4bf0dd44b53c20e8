// Failure: what went wrong and what to do about it. Thrown anywhere in the tool, printed once, by
// main.
//
// What it is not: a way to report a fallback. A path that is slower than hoped is a fact for the
// report, never a failure.
//
// Threading: a value.
//
//   throw Failure("cannot copy a directory", "name a file");
//   ThrowSystemError(errno, "cannot open " + path);
//   Check(mooring_slab_create(&options, &slab));
#ifndef MOORING_TOOLS_MOOR_FAILURE_H_
#define MOORING_TOOLS_MOOR_FAILURE_H_

#include <exception>
#include <string>

#include <mooring/mooring.h>

namespace moor {

// The exit statuses of the tool: there are no others.
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

class Failure : public std::exception {
 public:
  Failure(std::string message, std::string remedy, int status = kExitFailed)
      : message_(std::move(message)), remedy_(std::move(remedy)), status_(status) {}

  const char* what() const noexcept override { return message_.c_str(); }
  const std::string& message() const { return message_; }
  const std::string& remedy() const { return remedy_; }
  int status() const { return status_; }

 private:
  std::string message_;
  std::string remedy_;
  int status_;
};

// The command line itself is wrong: exit status 2.
class UsageFailure : public Failure {
 public:
  UsageFailure(std::string message, std::string remedy)
      : Failure(std::move(message), std::move(remedy), kExitUsage) {}
};

// The reader of standard output went away (EPIPE). As with cat, that deserves a status and no
// words.
class ReaderGone : public Failure {
 public:
  ReaderGone()
      : Failure("the reader of standard output is gone", "keep the reader open until the end") {}
};

// What to do about an errno, in one sentence; never empty.
std::string RemedyFor(int system_error);

// "permission denied" and the like, in the C locale.
std::string DescribeError(int system_error);

// Throws Failure("WHAT: description of the errno", its remedy).
[[noreturn]] void ThrowSystemError(int system_error, const std::string& what);

// Takes `error`, and throws its message and remedy unless it is NULL.
void Check(mooring_error_t* error);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_FAILURE_H_
