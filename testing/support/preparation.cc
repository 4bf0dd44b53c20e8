#include "testing/support/preparation.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "testing/support/kernel_probe.h"
#include "testing/support/privileges.h"
#include "testing/support/seccomp_filter.h"

namespace mooring::conformance {
namespace {

// Set for the second run: the real user id to take, or "-" to keep the current one.
constexpr char kMarker[] = "MOORING_CONFORMANCE_PREPARED";

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "cannot prepare the process: %s: %s\n", what, std::strerror(errno));
  std::exit(EXIT_FAILURE);
}

// Where the user id is shared, the charges of other processes are added to the limit. Otherwise
// they would use a part of it.
std::string LimitMemlock(const Preparation& preparation, bool own_uid) {
  if (!DropIpcLock()) Fail("cannot drop CAP_IPC_LOCK");
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) Fail("getrlimit");
  uint64_t soft_bytes = preparation.memlock_bytes;
  if (soft_bytes > 0 && !own_uid) {
    const uint64_t charged = SmallestWorkingMemlock();
    if (charged == UINT64_MAX) return "memlock";
    soft_bytes += charged;
  }
  if (soft_bytes > limit.rlim_max) return "memlock";
  limit.rlim_cur = soft_bytes;
  if (preparation.memlock_is_final) limit.rlim_max = soft_bytes;
  if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) Fail("setrlimit");
  return "";
}

std::string Execute(const Preparation& preparation, char** argv) {
  std::string uid = "-";
  if (preparation.limits_memlock) {
    const bool own_uid = CanTakeOtherUids();
    if (own_uid) uid = std::to_string(PickUid());
    const std::string missing = LimitMemlock(preparation, own_uid);
    if (!missing.empty()) return missing;
  }
  if (preparation.io_uring_errno != 0 && !DenyIoUring(preparation.io_uring_errno)) return "seccomp";
  for (const int opcode : preparation.unknown_registrations) {
    if (!HideRegistration(opcode)) return "seccomp";
  }
  if (setenv(kMarker, uid.c_str(), 1) != 0) Fail("setenv");
  execv("/proc/self/exe", argv);
  Fail("execv");
}

// Checks the preparation: if a limit does not apply, every test passes without showing anything.
void Check(const Preparation& preparation, const std::string& uid) {
  if (preparation.limits_memlock) {
    // After exec, because exec treats a program with different real and effective ids as
    // set-user-ID (credentials(7)).
    if (uid != "-" && !TakeRealUid(static_cast<uid_t>(std::stoul(uid)))) Fail("setresuid");
    if (IsMemlockExempt()) Fail("the process still has CAP_IPC_LOCK");
    rlimit limit{};
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) Fail("getrlimit");
    if (uid != "-" && limit.rlim_cur != preparation.memlock_bytes)
      Fail("the memlock limit does not apply");
  }
  if (preparation.io_uring_errno != 0 && ProbeRing() != preparation.io_uring_errno) {
    Fail("the seccomp filter does not return the errno");
  }
  for (const int opcode : preparation.unknown_registrations) {
    if (ProbeRegistration(opcode) != EINVAL)
      Fail("io_uring_register(2) still has a hidden operation");
  }
}

}  // namespace

std::string Prepare(const Preparation& preparation, char** argv) {
  if (preparation.mask != nullptr) preparation.mask();
  if (!preparation.limits_memlock && preparation.io_uring_errno == 0 &&
      preparation.unknown_registrations.empty()) {
    return "";
  }
  const char* marker = std::getenv(kMarker);
  if (marker == nullptr) return Execute(preparation, argv);
  Check(preparation, marker);
  unsetenv(kMarker);  // for this process only, not for programs that it executes
  return "";
}

}  // namespace mooring::conformance
