#include "tools/moor/interrupts.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "tools/moor/failure.h"

namespace moor {
namespace {

// The handler uses only what signal-safety(7) allows: lock-free atomics, and bytes that are
// complete before the descriptor is published (release below, acquire in the handler).
std::atomic<int> g_signal{0};
std::atomic<int> g_directory_fd{-1};
std::array<char, 256> g_temporary_name;
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void HandleSignal(int number) {
  const int saved_errno = errno;
  int expected = 0;
  if (!g_signal.compare_exchange_strong(expected, number)) {
    const int directory_fd = g_directory_fd.load(std::memory_order_acquire);
    if (directory_fd >= 0) {
      ::unlinkat(directory_fd, g_temporary_name.data(), 0);
    }
    ::_exit(kExitFailed);
  }
  errno = saved_errno;
}

const char* SignalName(int number) {
  switch (number) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    default:
      return "SIGHUP";
  }
}

}  // namespace

void InstallInterruptHandlers() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) {
      continue;
    }
    struct sigaction action {};
    action.sa_handler = HandleSignal;
    ::sigemptyset(&action.sa_mask);
    action.sa_flags = 0;  // no SA_RESTART: it must end an open(2) that waits for a pipe's writer
    ::sigaction(number, &action, nullptr);
  }
}

void ThrowIfInterrupted() {
  const int number = g_signal.load(std::memory_order_relaxed);
  if (number != 0) {
    throw Failure(std::string("interrupted by ") + SignalName(number),
                  "no partial file exists under the destination's name; run the command again");
  }
}

TemporaryFileGuard::TemporaryFileGuard(int directory_fd, const std::string& name) {
  std::strncpy(g_temporary_name.data(), name.c_str(), g_temporary_name.size() - 1);
  g_directory_fd.store(directory_fd, std::memory_order_release);
}

TemporaryFileGuard::~TemporaryFileGuard() { g_directory_fd.store(-1, std::memory_order_release); }

}  // namespace moor
