// UringCalls: the three system calls of io_uring, as a table of functions. A test replaces them to
// simulate kernels, limits and failures that the test machine does not have.
//
// All return a negative errno on failure. The table outlives the objects that use it.
//
// Threading: any thread.
//
//   const int fd = kKernelCalls.io_uring_setup(8, &params);
#ifndef MOORING_CPP_ENGINE_IO_URING_CALLS_H_
#define MOORING_CPP_ENGINE_IO_URING_CALLS_H_

#include <cstddef>
#include <cstdint>

#include "cpp/engine/io_uring/abi.h"

namespace mooring {

struct UringCalls {
  // io_uring_setup(2).
  int (*io_uring_setup)(uint32_t entries, io_uring_params* params);
  // io_uring_enter(2); `argument` is a sigset_t or, with IORING_ENTER_EXT_ARG, an
  // io_uring_getevents_arg.
  int (*io_uring_enter)(int fd, uint32_t to_submit, uint32_t min_complete, uint32_t flags,
                        void* argument, size_t size);
  // io_uring_register(2).
  int (*io_uring_register)(int fd, uint32_t opcode, const void* argument, uint32_t count);
};

extern const UringCalls kKernelCalls;

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_CALLS_H_
