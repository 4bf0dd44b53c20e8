// kernel_mask.h: what the library is told of io_uring, made less: the answers of a kernel that
// lacks a feature which no seccomp filter can hide.
//
// The linker sends the library's calls of liburing here, in programs that link this library and in
// no others. It changes what the kernel says of itself; what it does stays as it is.
//
//   MaskKernel({.opcode_count = IORING_OP_SEND_ZC});   // as before 6.0
//
// Threading: MaskKernel before the first ring is made; the calls from any thread.
#ifndef MOORING_TESTING_SUPPORT_KERNEL_MASK_H_
#define MOORING_TESTING_SUPPORT_KERNEL_MASK_H_

#include <cstdint>

namespace mooring::conformance {

struct KernelMask {
  // IORING_REGISTER_PROBE knows the opcodes (IORING_OP_*) below this one only.
  uint32_t opcode_count = 256;
  // IORING_FEAT_* that io_uring_setup(2) does not report.
  uint32_t hidden_features = 0;
};

// From now on, in this process.
void MaskKernel(const KernelMask& mask);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_KERNEL_MASK_H_
