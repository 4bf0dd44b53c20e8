// Wrapped calls of liburing, which return -errno.

#include <liburing.h>

#include "testing/faults/entry_faults.h"
#include "testing/faults/fault_plan.h"

using mooring::faults::CallKind;
using mooring::faults::FaultFor;
using mooring::faults::kShort;

namespace {

constexpr unsigned kCloneBuffers = 30;  // linux/io_uring.h of 6.12

CallKind KindOf(unsigned opcode) {
  switch (opcode) {
    case IORING_REGISTER_BUFFERS_UPDATE:
    case kCloneBuffers:
      return CallKind::kIoUringUpdate;
    case IORING_UNREGISTER_BUFFERS:
    case IORING_UNREGISTER_EVENTFD:
      return CallKind::kIoUringUnregister;
    default:
      return CallKind::kIoUringRegister;
  }
}

}  // namespace

extern "C" {

int __real_io_uring_setup(unsigned, io_uring_params*);
int __real_io_uring_enter2(unsigned, unsigned, unsigned, unsigned, sigset_t*, size_t);
int __real_io_uring_register(unsigned, unsigned, const void*, unsigned);
int __real_io_uring_queue_mmap(int, io_uring_params*, io_uring*);
int __real_io_uring_ring_dontfork(io_uring*);

int __wrap_io_uring_setup(unsigned entries, io_uring_params* params) {
  const int error = FaultFor(CallKind::kIoUringSetup);
  return error != 0 ? -error : __real_io_uring_setup(entries, params);
}

// A short call submits the first half of the entries, as the kernel does when memory runs out.
int __wrap_io_uring_enter2(unsigned fd, unsigned to_submit, unsigned least, unsigned flags,
                           sigset_t* argument, size_t size) {
  const int fault = FaultFor(CallKind::kIoUringEnter, to_submit);
  if (fault > 0) return -fault;
  const unsigned count = fault == kShort ? to_submit / 2 : to_submit;
  if (count != 0 && mooring::faults::IsArmed())
    mooring::faults::InjectEntryFaults(static_cast<int>(fd), count);
  return __real_io_uring_enter2(fd, count, least, flags, argument, size);
}

int __wrap_io_uring_register(unsigned fd, unsigned opcode, const void* argument, unsigned count) {
  const int error = FaultFor(KindOf(opcode));
  return error != 0 ? -error : __real_io_uring_register(fd, opcode, argument, count);
}

int __wrap_io_uring_queue_mmap(int fd, io_uring_params* params, io_uring* ring) {
  if (const int error = FaultFor(CallKind::kIoUringQueueMmap); error != 0) return -error;
  const int result = __real_io_uring_queue_mmap(fd, params, ring);
  if (result == 0) mooring::faults::RememberQueue(*ring);
  return result;
}

int __wrap_io_uring_ring_dontfork(io_uring* ring) {
  const int error = FaultFor(CallKind::kIoUringDontFork);
  return error != 0 ? -error : __real_io_uring_ring_dontfork(ring);
}

}  // extern "C"
