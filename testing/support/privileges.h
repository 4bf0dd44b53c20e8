// privileges.h: the privilege that exempts a process from the memlock limit, and how to drop it.
//
// Root is exempt while it has CAP_IPC_LOCK in the initial user namespace. The budget belongs to the
// real user id and is shared by every process of that user (capabilities(7), io_uring_register(2)).
// A test that needs a real limit drops the capability, from every set that exec(2) could restore it
// from, and takes an unused user id.
//
// Threading: single-threaded programs only, because capabilities and ids are per thread.
#ifndef MOORING_TESTING_SUPPORT_PRIVILEGES_H_
#define MOORING_TESTING_SUPPORT_PRIVILEGES_H_

#include <sys/types.h>

namespace mooring::conformance {

// True with CAP_IPC_LOCK in the initial user namespace: no memlock limit applies.
bool IsMemlockExempt();

// Drops CAP_IPC_LOCK from the effective, permitted, inheritable, ambient and bounding sets. False
// if the process still has it.
bool DropIpcLock();

// True when this process may take other user ids in the initial user namespace. Most sandboxes do
// not allow it.
bool CanTakeOtherUids();

// A user id that is probably unused, so its memlock budget is for this process only.
uid_t PickUid();

// Makes `uid` the real user id, which the kernel charges. The effective id does not change, so
// files stay accessible.
bool TakeRealUid(uid_t uid);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PRIVILEGES_H_
