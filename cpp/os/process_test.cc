#include "cpp/os/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cpp/os/testing/refuse_call.h"
#include "testing/support/child_process.h"

namespace mooring {
namespace {

using conformance::RunInChild;

// The token that several threads get at the same time; kNone if they get different ones.
ProcessToken TokenOfThreads() {
  constexpr int kThreads = 4;
  std::atomic<int> ready{0};
  std::vector<ProcessToken> tokens(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&ready, token = &tokens[static_cast<size_t>(i)]] {
      ready.fetch_add(1);
      while (ready.load() < kThreads) std::this_thread::yield();
      *token = CurrentProcess();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const ProcessToken token : tokens) {
    if (token != tokens[0]) return ProcessToken::kNone;
  }
  return tokens[0];
}

// Empty if a fork child gets a token greater than `parent`.
std::string ForkChildError(ProcessToken parent) {
  const conformance::ChildResult child = RunInChild([parent]() -> std::string {
    if (CurrentProcess() == parent) return "a fork child has its parent's token";
    if (CurrentProcess() < parent) return "a token was reused";
    return "";
  });
  return child.complaint;
}

TEST(CurrentProcess, IsTheSameForAllThreadsOfAProcess) {
  const ProcessToken token = CurrentProcess();
  EXPECT_NE(token, ProcessToken::kNone);
  EXPECT_EQ(CurrentProcess(), token);
  EXPECT_EQ(TokenOfThreads(), token);
}

TEST(CurrentProcess, DiffersInAForkChild) { EXPECT_EQ(ForkChildError(CurrentProcess()), ""); }

TEST(CurrentProcess, DiffersInTheChildOfARawSystemCall) {
  const ProcessToken parent = CurrentProcess();
  // No libc handler runs, so only the kernel's wiped page shows the fork.
  const long pid = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  ASSERT_GE(pid, 0);
  if (pid == 0) ::_exit(CurrentProcess() > parent ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(static_cast<pid_t>(pid), &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(CurrentProcess, IsNeverReusedByADescendant) {
  const ProcessToken first = CurrentProcess();
  const conformance::ChildResult child = RunInChild([first]() -> std::string {
    // A child that does not read its token, so its cell is empty when it forks.
    const conformance::ChildResult grandchild = RunInChild([first]() -> std::string {
      const ProcessToken third = CurrentProcess();
      if (third <= first) return "a grandchild has its ancestor's token";
      return ForkChildError(third);
    });
    return grandchild.complaint;
  });
  EXPECT_EQ(child.complaint, "");
}

TEST(CurrentProcess, DoesNotChangeInTheParent) {
  const ProcessToken before = CurrentProcess();
  ASSERT_EQ(ForkChildError(before), "");
  EXPECT_EQ(CurrentProcess(), before);
}

TEST(CurrentProcess, IsEqualForTheFirstThreadsInAForkChild) {
  const ProcessToken parent = CurrentProcess();
  for (int round = 0; round < 20; ++round) {
    const conformance::ChildResult child = RunInChild([parent]() -> std::string {
      const ProcessToken token = TokenOfThreads();
      if (token == ProcessToken::kNone) return "threads of one process got different tokens";
      if (token <= parent) return "a fork child has its parent's token";
      return CurrentProcess() == token ? "" : "the token changed";
    });
    ASSERT_EQ(child.complaint, "");
  }
}

TEST(CurrentProcess, IsEqualForTheFirstThreadsOfAProcess) {
  for (int round = 0; round < 20; ++round) {
    const conformance::ChildResult child = RunInChild([]() -> std::string {
      process_internal::token_cell.store(nullptr);
      const ProcessToken token = TokenOfThreads();
      if (token == ProcessToken::kNone) return "threads of one process got different tokens";
      return ForkChildError(token);
    });
    ASSERT_EQ(child.complaint, "");
  }
}

TEST(CurrentProcess, DetectsForkAlsoIfTheKernelDoesNotWipePages) {
  const conformance::ChildResult child = RunInChild([]() -> std::string {
    if (!RefuseCall({.number = SYS_madvise,
                     .when = RefusedCall::When::kArgumentIs,
                     .argument = 2,
                     .value = MADV_WIPEONFORK,
                     .error = EINVAL})) {
      return "cannot install a seccomp filter";
    }
    const ProcessToken before = CurrentProcess();
    process_internal::token_cell.store(nullptr);
    const ProcessToken token = CurrentProcess();
    if (token <= before) return "a new cell has an old token";
    if (CurrentProcess() != token) return "the token changed";
    const std::string complaint = ForkChildError(token);
    if (!complaint.empty()) return complaint;
    return CurrentProcess() == token ? "" : "the parent's token changed";
  });
  EXPECT_EQ(child.complaint, "");
  EXPECT_TRUE(child.exited);
}

}  // namespace
}  // namespace mooring
