// call_kind.h: the calls of Mooring that a fault can strike, and what each may plausibly answer.
//
// A kind is a function of libc, liburing or libnuma, or an entry of a submission queue. Its errnos
// are those that its manual page names and that a program which makes no mistakes can meet: a
// descriptor that is not open or an address that is not mapped (EBADF, EFAULT) are none of them,
// but where the page's own subject is memory.
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
  kIoUringRegister,  // tables, probes, eventfds: what an engine sets up
  kIoUringUpdate,    // slots filled, emptied and cloned
  kIoUringUnregister,
  kIoUringQueueMmap,
  kIoUringDontFork,
  kEntry,  // one entry of the submission queue, by what its completion says
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

// A fault that is no errno: the call moves half of what it was asked to, or begins late.
inline constexpr int kShort = -1;
inline constexpr int kLate = -2;

struct CallFacts {
  const char* name;
  // kShort and kLate among them where they make a difference. The most telling ones come first.
  std::span<const int> faults;
  // How many of them the short sweep tries.
  size_t brief;
};

const CallFacts& FactsOf(CallKind kind);
std::optional<CallKind> CallKindOf(std::string_view name);

// "ENOMEM", "short", "late"; a number for what no kind has.
const char* NameOfFault(int fault);
std::optional<int> FaultOf(std::string_view name);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_CALL_KIND_H_
