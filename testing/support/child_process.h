// child_process.h: a piece of a test in a child of fork(2), with its complaints brought back.
//
//   ChildResult child = RunInChild([] { return mooring_version() == 0 ? "no version" : ""; });
//   EXPECT_EQ(child.complaint, "");
//
// The child ends with _exit(2): no destructor, no exit handler and no leak check of the parent's
// objects runs in it.
//
// Threading: call from the test's thread.
#ifndef MOORING_TESTING_SUPPORT_CHILD_PROCESS_H_
#define MOORING_TESTING_SUPPORT_CHILD_PROCESS_H_

#include <functional>
#include <string>

namespace mooring::conformance {

struct ChildResult {
  bool exited = false;    // by itself, with status 0
  std::string complaint;  // what `body` returned; how it ended, if not by itself
};

// `body` returns "" when all is well. A child that does not end in time is killed and says so.
ChildResult RunInChild(const std::function<std::string()>& body);

// Whether a child may start threads. Not under gcc 12's thread sanitizer, which takes a new thread
// for one of the parent's that had its stack at the same place, and dies of it.
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
