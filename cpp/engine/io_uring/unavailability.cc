#include "cpp/engine/io_uring/unavailability.h"

#include <cerrno>
#include <cstring>

#include "cpp/base/format.h"
#include "cpp/os/kernel.h"

namespace mooring {
namespace {

// The common ones by name, as in manuals and bug reports.
const char* NameOf(int error) {
  switch (error) {
    case EPERM:
      return "EPERM";
    case EACCES:
      return "EACCES";
    case EINVAL:
      return "EINVAL";
    case ENOSYS:
      return "ENOSYS";
    default:
      return strerror(error);
  }
}

constexpr char kSeccompRemedy[] =
    "allow io_uring_setup, io_uring_enter and io_uring_register in the container's seccomp profile "
    "(docker, podman: --security-opt seccomp=PROFILE.json; Kubernetes: seccompProfile of the pod), "
    "or choose the threads engine";

Unavailability Denied(int error, std::string message) {
  return {.reason = EngineReason::kIoUringDenied,
          .code = Code::kPermission,
          .retry = Retry::kAfterRemedy,
          .system_error = error,
          .message = std::move(message),
          .remedy = kSeccompRemedy};
}

Unavailability Disabled(int error, int setting) {
  Unavailability why = {.reason = EngineReason::kIoUringDisabled,
                        .code = Code::kPermission,
                        .retry = Retry::kAfterRemedy,
                        .system_error = error};
  why.message = Format("sysctl kernel.io_uring_disabled is %d: io_uring_setup fails with %s",
                       setting, NameOf(error));
  why.remedy = setting == 1 ? "run 'sysctl kernel.io_uring_disabled=0' as root on the host, or "
                              "join the group that sysctl "
                              "kernel.io_uring_group names, or choose the threads engine"
                            : "run 'sysctl kernel.io_uring_disabled=0' as root on the host, or "
                              "choose the threads engine";
  return why;
}

// EPERM and EACCES. A seccomp filter runs before the kernel checks any argument, so it denies
// io_uring_enter for an invalid descriptor too. The sysctl (6.6) and security modules affect only
// io_uring_setup.
Unavailability ExplainNotPermitted(const UringCalls& calls, int error) {
  const int probe = calls.io_uring_enter(-1, 0, 0, 0, nullptr, 0);
  if (probe == -EPERM || probe == -EACCES) {
    return Denied(
        error,
        Format("a seccomp filter denies io_uring: io_uring_setup and io_uring_enter fail with %s",
               NameOf(error)));
  }
  const int setting = IoUringDisabledSysctl().value_or(0);
  if (setting != 0) return Disabled(error, setting);
  Unavailability why = Denied(
      error, Format("io_uring_setup fails with %s: a seccomp filter or security module denies it",
                    NameOf(error)));
  why.remedy +=
      "; with SELinux or AppArmor, allow io_uring for the domain or profile of this process";
  return why;
}

}  // namespace

Unavailability ExplainSetupFailure(const UringCalls& calls, int result) {
  const int error = -result;
  switch (error) {
    case EPERM:
    case EACCES:
      return ExplainNotPermitted(calls, error);
    case ENOSYS:
      return {.reason = EngineReason::kIoUringMissing,
              .code = Code::kUnsupported,
              .system_error = error,
              .message = "io_uring_setup fails with ENOSYS: the kernel (" + KernelRelease() +
                         ") has no io_uring, or a seccomp filter returns ENOSYS",
              .remedy =
                  "use kernel 5.6 or newer with CONFIG_IO_URING; in a container (podman's default "
                  "profile returns ENOSYS), allow io_uring_setup, io_uring_enter and "
                  "io_uring_register in the seccomp profile; or choose the threads engine"};
    case EINVAL:
      return ExplainTooOld(
          "io_uring_setup fails with EINVAL even for the flags of 5.6 (CQSIZE, CLAMP)");
    default:
      break;
  }
  const bool descriptors = error == EMFILE || error == ENFILE;
  return {
      .code = Code::kExhausted,
      .retry = Retry::kAfterRemedy,
      .system_error = error,
      .message = Format("io_uring_setup: %s", strerror(error)),
      .remedy = descriptors
                    ? "close descriptors that are not needed, or raise RLIMIT_NOFILE (ulimit -n)"
                    : "free memory, or create smaller rings"};
}

Unavailability ExplainNoMemory(const RingBytes& bytes, const MemlockLimits& limits) {
  if (limits.exempt || limits.soft_bytes == UINT64_MAX) {
    return {.code = Code::kExhausted,
            .retry = Retry::kLater,
            .system_error = ENOMEM,
            .message =
                Format("the kernel has no memory for a ring of %s, or for smaller rings down to %s",
                       FormatBytes(bytes.wanted).c_str(), FormatBytes(bytes.smallest).c_str()),
            .remedy = "free memory, or raise the memory limit of the control group"};
  }
  Unavailability why = {.reason = EngineReason::kMemlockLimit,
                        .code = Code::kMemlockLimit,
                        .retry = Retry::kAfterRemedy,
                        .system_error = ENOMEM};
  why.message = Format(
      "the memlock budget is spent: this ring needs %s, the smallest ring %s, and the soft limit "
      "RLIMIT_MEMLOCK is %s, shared by all processes of this user",
      FormatBytes(bytes.wanted).c_str(), FormatBytes(bytes.smallest).c_str(),
      FormatBytes(limits.soft_bytes).c_str());
  const uint64_t kib = (bytes.wanted + 1023) / 1024;
  why.remedy = Format(
      "raise RLIMIT_MEMLOCK by at least %s ('ulimit -l' counts KiB: %llu more; docker: --ulimit "
      "memlock=BYTES; systemd: LimitMEMLOCK=), or grant CAP_IPC_LOCK",
      FormatBytes(bytes.wanted).c_str(), static_cast<unsigned long long>(kib));
  if (limits.hard_bytes > limits.soft_bytes) {
    why.remedy +=
        limits.hard_bytes == UINT64_MAX
            ? "; the hard limit is unlimited, so the ring option RAISE_MEMLOCK is sufficient"
            : Format(
                  "; the hard limit is %s, and the ring option RAISE_MEMLOCK raises the soft limit "
                  "to it",
                  FormatBytes(limits.hard_bytes).c_str());
  }
  return why;
}

Unavailability ExplainTooOld(const std::string& what) {
  return {.reason = EngineReason::kIoUringMissing,
          .code = Code::kUnsupported,
          .system_error = EINVAL,
          .message = "the io_uring of this kernel (" + KernelRelease() + ") is too old: " + what,
          .remedy = "use kernel 5.6 or newer, or choose the threads engine"};
}

Unavailability ExplainDeniedCall(const char* call, int result) {
  const int error = -result;
  if (error == ENOMEM || error == EAGAIN || error == EBUSY || error == EINTR) {
    return {.code = Code::kExhausted,
            .retry = Retry::kLater,
            .system_error = error,
            .message = Format("a ring was made, but %s fails: %s", call, strerror(error)),
            .remedy = "try again, or free memory"};
  }
  return Denied(error, Format("a seccomp filter allows io_uring_setup, but %s fails with %s", call,
                              NameOf(error)));
}

Unavailability ExplainNoSqpoll(int result) {
  const int error = -result;
  const bool privilege = error == EPERM || error == EACCES;
  return {.code = privilege ? Code::kPermission : Code::kUnsupported,
          .retry = privilege ? Retry::kAfterRemedy : Retry::kNever,
          .system_error = error,
          .message = Format("io_uring is available, but SQPOLL is not: %s", NameOf(error)),
          .remedy = privilege ? "grant CAP_SYS_NICE (kernels before 5.13 require it), or create "
                                "the ring without SQPOLL"
                              : "use kernel 5.11 or newer, or create the ring without SQPOLL"};
}

}  // namespace mooring
