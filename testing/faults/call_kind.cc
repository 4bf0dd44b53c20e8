#include "testing/faults/call_kind.h"

#include <cerrno>
#include <cstring>

namespace mooring::faults {
namespace {

// Each list from the manual page of the same name, section 2 unless said otherwise.
constexpr int kSetup[] = {ENOMEM, EMFILE, EPERM, EINVAL, ENOSYS, ENFILE, EACCES};
constexpr int kEnter[] = {EINTR, EAGAIN, EBUSY, kShort, EPERM, ENOMEM, kLate};
constexpr int kRegister[] = {ENOMEM, EPERM, EINVAL, ENOSYS, EACCES};
// Also the errnos of pages that cannot be pinned.
constexpr int kUpdate[] = {ENOMEM, EFAULT, EPERM, EOPNOTSUPP, EINVAL, ENOSYS};
// io_uring_queue_mmap(3) fails as mmap(2) does, io_uring_ring_dontfork(3) as madvise(2).
constexpr int kMap[] = {ENOMEM, EAGAIN, EPERM};
// For the res of a completion: errnos of read(2) and write(2), and of starting an operation.
constexpr int kEntries[] = {EIO, kShort, EAGAIN, ENOMEM, EINTR, ENOSPC};
constexpr int kUnmap[] = {ENOMEM};
constexpr int kAdvise[] = {ENOMEM, EINVAL, EAGAIN, EIO, EPERM, EINTR};
constexpr int kProtects[] = {ENOMEM, EACCES};
constexpr int kResidency[] = {ENOMEM, EAGAIN};
constexpr int kBind[] = {ENOMEM, EIO, EPERM, EINVAL};
constexpr int kMove[] = {ENOMEM, EPERM, ENOENT};
constexpr int kAffinity[] = {EINVAL, EPERM};
constexpr int kLimit[] = {EPERM, ENOSYS};
constexpr int kSleep[] = {EINTR};
constexpr int kWait[] = {EINTR, EAGAIN, kLate};
constexpr int kThread[] = {EAGAIN, EPERM, EINVAL, kLate};
constexpr int kNoMemory[] = {ENOMEM};
constexpr int kOpens[] = {EMFILE, ENOENT, EINTR, ENFILE, EACCES, ENOMEM, ELOOP};
// The descriptor is closed after each of them (close(2), "Dealing with error returns").
constexpr int kCloses[] = {EIO, EINTR, ENOSPC, EDQUOT};
constexpr int kReads[] = {EIO, kShort, EINTR, EAGAIN, kLate, ENOMEM};
constexpr int kWrites[] = {ENOSPC, kShort, EINTR, EIO, EAGAIN, EDQUOT, kLate};
constexpr int kNowaits[] = {EAGAIN, kShort, EOPNOTSUPP, EINTR, EIO, ENOSYS, kLate};
constexpr int kSyncs[] = {EIO, EINTR, ENOSPC, EROFS, EDQUOT};
constexpr int kAllocates[] = {ENOSPC, EINTR, EOPNOTSUPP, EIO, ENOSYS};
constexpr int kStats[] = {ENOMEM, ENOENT, EACCES, ELOOP};
constexpr int kDups[] = {EMFILE, EINVAL};
constexpr int kIoctls[] = {ENOTTY, EINVAL, ENOMEM};
constexpr int kDescriptors[] = {EMFILE, ENOMEM, ENFILE};
constexpr int kWatches[] = {ENOSPC, ENOMEM};
constexpr int kPolls[] = {EINTR, ENOMEM, kLate};
constexpr int kSends[] = {EPIPE, kShort, EINTR, EAGAIN, ENOBUFS, ECONNRESET, ENOMEM, kLate};
constexpr int kRecvs[] = {ECONNRESET, kShort, EINTR, EAGAIN, ENOMEM, kLate};
constexpr int kAccepts[] = {EMFILE, EINTR, EAGAIN, ECONNABORTED, ENOBUFS, EPERM, kLate};
constexpr int kConnects[] = {ECONNREFUSED, EINTR, ETIMEDOUT, EADDRNOTAVAIL, EAGAIN, kLate};
constexpr int kShutdowns[] = {ENOTCONN};

constexpr CallFacts kFacts[] = {
    {"io_uring_setup", kSetup, 4},
    {"io_uring_enter", kEnter, 5},
    {"io_uring_register", kRegister, 3},
    {"io_uring_update", kUpdate, 3},
    {"io_uring_unregister", kSleep, 1},
    {"io_uring_queue_mmap", kMap, 1},
    {"io_uring_ring_dontfork", kUnmap, 1},
    {"entry", kEntries, 3},
    {"mmap", kMap, 2},
    {"munmap", kUnmap, 1},
    {"madvise", kAdvise, 2},
    {"mprotect", kProtects, 1},
    {"mincore", kResidency, 1},
    {"mbind", kBind, 2},
    {"move_pages", kMove, 1},
    {"sched_setaffinity", kAffinity, 1},
    {"sched_getaffinity", kAffinity, 1},
    {"getrlimit", kLimit, 1},
    {"setrlimit", kLimit, 1},
    {"capget", kLimit, 1},
    {"futex", kWait, 1},
    {"nanosleep", kSleep, 1},
    {"pthread_create", kThread, 2},
    {"pthread_attr_init", kNoMemory, 1},
    {"open", kOpens, 2},
    {"openat", kOpens, 3},
    {"close", kCloses, 2},
    {"read", kReads, 3},
    {"write", kWrites, 3},
    {"pread", kReads, 3},
    {"pwrite", kWrites, 3},
    {"preadv2", kNowaits, 3},
    {"pwritev2", kNowaits, 3},
    {"fsync", kSyncs, 2},
    {"fallocate", kAllocates, 2},
    {"statx", kStats, 2},
    {"stat", kStats, 2},
    {"dup", kDups, 1},
    {"ioctl", kIoctls, 1},
    {"epoll_create", kDescriptors, 1},
    {"epoll_ctl", kWatches, 2},
    {"epoll_wait", kSleep, 1},
    {"eventfd", kDescriptors, 1},
    {"timerfd", kDescriptors, 1},
    {"poll", kPolls, 2},
    {"send", kSends, 4},
    {"recv", kRecvs, 4},
    {"accept", kAccepts, 4},
    {"connect", kConnects, 4},
    {"shutdown", kShutdowns, 1},
};
static_assert(std::size(kFacts) == kCallKindCount);

struct FaultName {
  int fault;
  const char* name;
};

constexpr FaultName kNames[] = {
    {kShort, "short"},
    {kLate, "late"},
};

}  // namespace

const CallFacts& FactsOf(CallKind kind) { return kFacts[static_cast<size_t>(kind)]; }

std::optional<CallKind> CallKindOf(std::string_view name) {
  for (size_t i = 0; i < kCallKindCount; ++i) {
    if (name == kFacts[i].name) return static_cast<CallKind>(i);
  }
  return std::nullopt;
}

const char* NameOfFault(int fault) {
  for (const FaultName& named : kNames) {
    if (named.fault == fault) return named.name;
  }
  return strerrorname_np(fault);  // glibc 2.32
}

std::optional<int> FaultOf(std::string_view name) {
  for (const CallFacts& facts : kFacts) {
    for (const int fault : facts.faults) {
      if (name == NameOfFault(fault)) return fault;
    }
  }
  return std::nullopt;
}

}  // namespace mooring::faults
