// Failure: an error message with a remedy. Thrown anywhere in the tool and printed once, by main.
//
// A fallback to a slower path is not a failure: the report shows it.
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

// All exit statuses of the tool.
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

// The command line is wrong: exit status 2.
class UsageFailure : public Failure {
 public:
  UsageFailure(std::string message, std::string remedy)
      : Failure(std::move(message), std::move(remedy), kExitUsage) {}
};

// The reader closed standard output (EPIPE). As with cat, the tool sets the exit status and prints
// no message.
class BrokenPipe : public Failure {
 public:
  BrokenPipe()
      : Failure("the reader closed standard output", "keep the reader open until the end") {}
};

// The remedy for an errno, in one sentence; never empty.
std::string RemedyFor(int system_error);

// The description of an errno, such as "Permission denied", in the C locale.
std::string DescribeError(int system_error);

// Throws Failure("WHAT: description of the errno", remedy for the errno).
[[noreturn]] void ThrowSystemError(int system_error, const std::string& what);

// Takes `error`. Throws its message and its remedy if it is not NULL.
void Check(mooring_error_t* error);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_FAILURE_H_
