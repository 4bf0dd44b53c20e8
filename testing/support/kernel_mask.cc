#include "testing/support/kernel_mask.h"

#include <liburing.h>

#include <algorithm>

namespace mooring::conformance {
namespace {

KernelMask the_mask;

// The kernel fills the entries up to its last opcode and does not change the others.
void HideOpcodes(io_uring_probe* probe) {
  if (the_mask.opcode_count > probe->last_op) return;
  const uint32_t known = the_mask.opcode_count;
  for (uint32_t i = known; i < probe->ops_len; ++i) probe->ops[i] = {};
  probe->last_op = static_cast<uint8_t>(known - 1);
  probe->ops_len = std::min(probe->ops_len, static_cast<uint8_t>(known));
}

}  // namespace

void MaskKernel(const KernelMask& mask) { the_mask = mask; }

}  // namespace mooring::conformance

extern "C" {

int __real_io_uring_setup(unsigned, io_uring_params*);
int __real_io_uring_register(unsigned, unsigned, const void*, unsigned);

int __wrap_io_uring_setup(unsigned entries, io_uring_params* params) {
  const int result = __real_io_uring_setup(entries, params);
  if (result >= 0) params->features &= ~mooring::conformance::the_mask.hidden_features;
  return result;
}

int __wrap_io_uring_register(unsigned fd, unsigned opcode, const void* argument, unsigned count) {
  // Without the flag for a registered ring descriptor (6.3).
  constexpr unsigned kOperation = 0x7fffffff;
  const int result = __real_io_uring_register(fd, opcode, argument, count);
  if (result >= 0 && (opcode & kOperation) == IORING_REGISTER_PROBE) {
    mooring::conformance::HideOpcodes(static_cast<io_uring_probe*>(const_cast<void*>(argument)));
  }
  return result;
}

}  // extern "C"
