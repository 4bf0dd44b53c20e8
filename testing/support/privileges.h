// privileges.h: what lets a process pass the memlock limit by, and how to be without it.
//
// Root passes the limit by while it has CAP_IPC_LOCK in the initial user namespace, and the budget
// belongs to the real user id, shared with every process of that user (capabilities(7),
// io_uring_register(2)). A test that means its limit gives up the capability, from every set that
// exec(2) could bring it back from, and takes a user id of its own.
//
// Threading: single-threaded programs only: capabilities and ids are of the calling thread.
#ifndef MOORING_TESTING_SUPPORT_PRIVILEGES_H_
#define MOORING_TESTING_SUPPORT_PRIVILEGES_H_

#include <sys/types.h>

namespace mooring::conformance {

// True with CAP_IPC_LOCK in the initial user namespace: no memlock limit applies.
bool IsMemlockExempt();

// Drops CAP_IPC_LOCK from the effective, permitted, inheritable, ambient and bounding sets. False
// if it is still there.
bool DropIpcLock();

// True when this process may take other user ids, and these are real ones (not so in most
// sandboxes).
bool CanTakeOtherUids();

// An id that hardly anyone uses: its memlock budget is this process's alone.
uid_t PickUid();

// Makes `uid` the real user id, to which the kernel charges; the effective one stays, so files stay
// within reach.
bool TakeRealUid(uid_t uid);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PRIVILEGES_H_
