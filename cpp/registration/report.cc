#include "cpp/registration/report.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "cpp/base/format.h"

namespace mooring {
namespace {

std::string LimitText(uint64_t bytes) {
  return bytes == UINT64_MAX ? std::string("unlimited") : FormatBytes(bytes);
}

std::string PinnedText(const RegistrationReport& report) {
  return Format("%s of %s are pinned: ", FormatBytes(report.bytes_fixed).c_str(),
                FormatBytes(report.bytes_requested).c_str());
}

void ExplainMemlock(RegistrationReport& report) {
  // The process has charged the pinned part of this registration already. The rest is missing.
  const uint64_t need = report.memlock_used_bytes + (report.bytes_requested - report.bytes_fixed);
  report.message =
      PinnedText(report) +
      Format(
          "RLIMIT_MEMLOCK is %s soft, %s hard, and this process has charged %s; another process "
          "of this user may hold the rest",
          LimitText(report.memlock.soft_bytes).c_str(),
          LimitText(report.memlock.hard_bytes).c_str(),
          FormatBytes(report.memlock_used_bytes).c_str());
  report.remedy = Format("raise RLIMIT_MEMLOCK from %s to at least %s (shell: ulimit -l %" PRIu64
                         "; systemd: LimitMEMLOCK=%" PRIu64 "; container: --ulimit memlock=%" PRIu64
                         "), or grant CAP_IPC_LOCK, or use a smaller slab",
                         LimitText(report.memlock.soft_bytes).c_str(), FormatBytes(need).c_str(),
                         (need + 1023) / 1024, need, need);
}

std::string TableFullRemedy(uint32_t table_slots, uint32_t table_slots_max) {
  if (table_slots >= table_slots_max) {
    return "destroy registrations that are not needed, or use a second ring: this kernel allows no "
           "larger table";
  }
  return Format("create the ring with a fixed_buffer_count above %" PRIu32 " (at most %" PRIu32
                "), or destroy registrations that are not needed",
                table_slots, table_slots_max);
}

void ExplainKernel(RegistrationReport& report, const std::string& pinned, const char* error) {
  if (IsRefusedForNow(report.reason, report.system_error)) {
    report.message =
        pinned +
        "this kernel registers memory only while nothing is in flight on the ring, and "
        "operations are in flight, or another thread is in a call on it";
    report.remedy =
        "reap all operations in flight: the next call that finds the ring idle registers the "
        "slab; or register before submitting; or use Linux 5.13 or later";
    return;
  }
  report.message = pinned + Format("this kernel registers no fixed buffers (%s)", error);
  report.remedy =
      "use Linux 5.13 or later for fixed buffers; on this kernel operations take the copy path";
}

void ExplainOther(RegistrationReport& report, uint32_t table_slots, uint32_t table_slots_max,
                  const std::string& engine_remedy) {
  const std::string pinned = PinnedText(report);
  char buffer[128];
  const char* error = report.system_error ? strerror_r(report.system_error, buffer, sizeof buffer)
                                          : "no error number";
  switch (report.reason) {
    case Reason::kPolicy:
      report.message = pinned + "the policy is NEVER";
      report.remedy = "register under the policy PREFER to use fixed buffers";
      return;
    case Reason::kOutOfMemory:
      report.message =
          pinned + "the kernel had no memory to pin them (ENOMEM with no limit in force)";
      report.remedy = "free memory on this machine or in this control group, or use a smaller slab";
      return;
    case Reason::kBackingRefused:
      report.message =
          pinned +
          Format(
              "the kernel does not pin this memory (%s): file-backed, device, read-only, or "
              "not mapped",
              error);
      report.remedy =
          "let Mooring create the slab, or adopt anonymous memory that is readable and writable";
      return;
    case Reason::kTableFull:
      report.message =
          pinned +
          Format("all %" PRIu32 " slots of the ring's fixed-buffer table are taken", table_slots);
      report.remedy = TableFullRemedy(table_slots, table_slots_max);
      return;
    case Reason::kKernelTooOld:
      return ExplainKernel(report, pinned, error);
    case Reason::kRegisterDenied:
      report.message = pinned + Format("io_uring_register(2) is refused (%s)", error);
      report.remedy =
          "allow io_uring_register in the seccomp profile or security policy of this process";
      return;
    case Reason::kEngineThreads:
      report.message = pinned + "the ring runs on the threads engine, which has no fixed buffers";
      report.remedy =
          engine_remedy.empty() ? "create the ring with the io_uring engine" : engine_remedy;
      return;
    case Reason::kOwnerThread:
      report.message =
          pinned +
          "the slab was registered, or grew, on a thread that does not own the ring, and the owner "
          "has not made a call on the ring since then";
      report.remedy = "submit, reap or promote on the thread that created the ring";
      return;
    case Reason::kNone:
      if (report.outcome == Outcome::kFixed) return;
      report.message = pinned + "the ring was destroyed";
      report.remedy = "register the slab with a ring that is open";
      return;
    case Reason::kMemlockLimit:
      return;
  }
}

}  // namespace

void Explain(RegistrationReport& report, uint32_t table_slots, uint32_t table_slots_max,
             const std::string& engine_remedy) {
  report.message.clear();
  report.remedy.clear();
  if (report.reason == Reason::kMemlockLimit) {
    ExplainMemlock(report);
  } else {
    ExplainOther(report, table_slots, table_slots_max, engine_remedy);
  }
}

Status RequireFailed(const RegistrationReport& report) {
  Code code = Code::kUnsupported;
  Retry retry = Retry::kAfterRemedy;
  switch (report.reason) {
    case Reason::kMemlockLimit:
      code = Code::kMemlockLimit;
      break;
    case Reason::kOutOfMemory:
    case Reason::kTableFull:
      code = Code::kExhausted;
      break;
    case Reason::kRegisterDenied:
      code = Code::kPermission;
      break;
    case Reason::kKernelTooOld:
      retry = Retry::kNever;
      if (IsRefusedForNow(report.reason, report.system_error)) {
        code = Code::kInvalidState;
        retry = Retry::kLater;
      }
      break;
    default:
      retry = Retry::kNever;
      break;
  }
  return Status(code, retry, report.message, report.remedy, report.system_error);
}

}  // namespace mooring
