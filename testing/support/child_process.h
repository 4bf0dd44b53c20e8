// child_process.h: runs a part of a test in a child of fork(2) and returns its complaint to the
// parent.
//
//   ChildResult child = RunInChild([] { return mooring_version() == 0 ? "no version" : ""; });
//   EXPECT_EQ(child.complaint, "");
//
// The child ends with _exit(2): it runs no destructor, no exit handler and no leak check of the
// parent's objects.
//
// Threading: call from the test's thread.
#ifndef MOORING_TESTING_SUPPORT_CHILD_PROCESS_H_
#define MOORING_TESTING_SUPPORT_CHILD_PROCESS_H_

#include <functional>
#include <string>

namespace mooring::conformance {

struct ChildResult {
  bool exited = false;    // with status 0
  std::string complaint;  // what `body` returned, and the signal or status of a failed child
};

// `body` returns "" on success. A child that does not end in time is killed, and the complaint says
// so.
ChildResult RunInChild(const std::function<std::string()>& body);

// True when a child may start threads. False under gcc 12's thread sanitizer: it confuses a new
// thread with a thread of the parent whose stack was at the same address, and aborts.
constexpr bool ChildMayStartThreads() {
#if defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}
inline constexpr char kChildThreadsRemedy[] = "run without the thread sanitizer";

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_CHILD_PROCESS_H_
