#include "testing/support/child_process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/proc_self.h"

namespace mooring::conformance {
namespace {

[[noreturn]] void RunBody(const std::function<std::string()>& body, int report_fd) {
  // A child does not inherit the parent's alarm(2). SIGALRM's default action ends a child that
  // hangs.
  alarm(static_cast<unsigned>(kPatience.count()));
  const std::string complaint = body();
  size_t done = 0;
  while (done < complaint.size()) {
    const ssize_t written = write(report_fd, complaint.data() + done, complaint.size() - done);
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  _exit(0);
}

// The sanitizers of gcc 12 do not reset their own locks in the child. A lock that another thread
// holds at the fork stays locked there. fork(3) resets glibc's locks. So without a sanitizer the
// fork does not wait, and tests cover a fork at any moment.
void WaitUntilOtherThreadsAreIdle() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  (void)Eventually([] { return RunningThreadCount() == 0; });
#endif
}

std::string ReadAll(int fd) {
  std::string text;
  char chunk[1024];
  for (;;) {
    const ssize_t count = read(fd, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(chunk, static_cast<size_t>(count));
  }
}

}  // namespace

ChildResult RunInChild(const std::function<std::string()>& body) {
  std::fflush(nullptr);  // or both processes print the buffered text
  Pipe report;
  WaitUntilOtherThreadsAreIdle();
  const pid_t pid = fork();
  if (pid == 0) RunBody(body, report.write_fd());
  if (pid < 0) return {.exited = false, .complaint = "fork failed"};

  report.CloseWriteEnd();
  ChildResult result{.exited = false, .complaint = ReadAll(report.read_fd())};
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.exited = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (WIFSIGNALED(status)) {
    result.complaint += " (ended by signal " + std::to_string(WTERMSIG(status)) + ")";
  } else if (!result.exited) {
    result.complaint += " (ended with status " + std::to_string(WEXITSTATUS(status)) + ")";
  }
  return result;
}

}  // namespace mooring::conformance
