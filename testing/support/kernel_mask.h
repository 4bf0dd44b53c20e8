// kernel_mask.h: hides features of io_uring from the library. It gives the replies of a kernel that
// lacks a feature which no seccomp filter can hide.
//
// In programs that link this library, and in no others, the linker redirects the library's calls of
// liburing to it. It changes what the kernel reports about its features. The kernel's behaviour
// does not change.
//
//   MaskKernel({.opcode_count = IORING_OP_SEND_ZC});   // as before 6.0
//
// Threading: MaskKernel before the first ring is created; the calls from any thread.
#ifndef MOORING_TESTING_SUPPORT_KERNEL_MASK_H_
#define MOORING_TESTING_SUPPORT_KERNEL_MASK_H_

#include <cstdint>

namespace mooring::conformance {

struct KernelMask {
  // IORING_REGISTER_PROBE reports only the opcodes (IORING_OP_*) below this one.
  uint32_t opcode_count = 256;
  // IORING_FEAT_* that io_uring_setup(2) does not report.
  uint32_t hidden_features = 0;
};

// Applies to this process from now on.
void MaskKernel(const KernelMask& mask);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_KERNEL_MASK_H_
