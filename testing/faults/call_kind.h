// call_kind.h: the calls of Mooring that a fault can make fail, and the errnos that fit each call.
//
// A kind is a function of libc, liburing or libnuma, or an entry of a submission queue. Its errnos
// are those that its manual page lists and that a correct program can get. EBADF and EFAULT
// (descriptor not open, address not mapped) are excluded, except for calls about memory.
//
// Threading: immutable.
#ifndef MOORING_TESTING_FAULTS_CALL_KIND_H_
#define MOORING_TESTING_FAULTS_CALL_KIND_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace mooring::faults {

enum class CallKind : uint8_t {
  kIoUringSetup,
  kIoUringEnter,
  kIoUringRegister,  // tables, probes, eventfds: the setup of an engine
  kIoUringUpdate,    // slots are filled, cleared and cloned
  kIoUringUnregister,
  kIoUringQueueMmap,
  kIoUringDontFork,
  kEntry,  // one entry of the submission queue; the fault is in its completion
  kMmap,
  kMunmap,
  kMadvise,
  kMprotect,
  kMincore,
  kMbind,
  kMovePages,
  kSetAffinity,
  kGetAffinity,
  kGetRlimit,
  kSetRlimit,
  kCapget,
  kFutex,
  kNanosleep,
  kPthreadCreate,
  kPthreadAttrInit,
  kOpen,
  kOpenat,
  kClose,
  kRead,
  kWrite,
  kPread,
  kPwrite,
  kPreadv2,
  kPwritev2,
  kFsync,
  kFallocate,
  kStatx,
  kStat,
  kDup,
  kIoctl,
  kEpollCreate,
  kEpollCtl,
  kEpollWait,
  kEventfd,
  kTimerfd,
  kPoll,
  kSend,
  kRecv,
  kAccept,
  kConnect,
  kShutdown,
};
inline constexpr size_t kCallKindCount = static_cast<size_t>(CallKind::kShutdown) + 1;

// Faults that are not errnos: the call transfers half of the requested bytes, or begins late.
inline constexpr int kShort = -1;
inline constexpr int kLate = -2;

struct CallFacts {
  const char* name;
  // Includes kShort and kLate where they make a difference. The most useful faults come first.
  std::span<const int> faults;
  // The short sweep tries this many of them.
  size_t brief;
};

const CallFacts& FactsOf(CallKind kind);
std::optional<CallKind> CallKindOf(std::string_view name);

// "ENOMEM", "short" or "late".
const char* NameOfFault(int fault);
std::optional<int> FaultOf(std::string_view name);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_CALL_KIND_H_
