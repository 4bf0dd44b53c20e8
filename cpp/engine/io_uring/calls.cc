#include "cpp/engine/io_uring/calls.h"

namespace mooring {
namespace {

int Setup(uint32_t entries, io_uring_params* params) { return io_uring_setup(entries, params); }

int Enter(int fd, uint32_t to_submit, uint32_t min_complete, uint32_t flags, void* argument,
          size_t size) {
  return io_uring_enter2(static_cast<unsigned>(fd), to_submit, min_complete, flags,
                         static_cast<sigset_t*>(argument), size);
}

int Register(int fd, uint32_t opcode, const void* argument, uint32_t count) {
  return io_uring_register(static_cast<unsigned>(fd), opcode, argument, count);
}

}  // namespace

constinit const UringCalls kKernelCalls = {
    .io_uring_setup = Setup, .io_uring_enter = Enter, .io_uring_register = Register};

}  // namespace mooring
