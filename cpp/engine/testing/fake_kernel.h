// FakeKernel: a table of io_uring's system calls that simulates older kernels, missing features and
// failures. Calls that it does not change go to the real kernel.
//
// Only one exists at a time, because the calls are plain functions. Set its members before and
// between calls.
//
// Threading: one thread sets members; any thread calls.
//
//   FakeKernel kernel;
//   kernel.setup_flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;   // 5.6
//   auto engine = MakeUring(options, kernel.calls());
#ifndef MOORING_CPP_ENGINE_TESTING_FAKE_KERNEL_H_
#define MOORING_CPP_ENGINE_TESTING_FAKE_KERNEL_H_

#include <cerrno>
#include <cstdint>
#include <functional>
#include <set>

#include "cpp/engine/io_uring/abi.h"
#include "cpp/engine/io_uring/calls.h"

namespace mooring {

class FakeKernel {
 public:
  FakeKernel() { current_ = this; }
  ~FakeKernel() { current_ = nullptr; }
  FakeKernel(const FakeKernel&) = delete;

  static const UringCalls& calls() {
    static constexpr UringCalls kCalls = {
        .io_uring_setup = Setup, .io_uring_enter = Enter, .io_uring_register = Register};
    return kCalls;
  }

  uint32_t setup_flags = UINT32_MAX;           // other flags fail with EINVAL
  uint32_t features = UINT32_MAX;              // other features are hidden
  std::set<uint8_t> missing_opcodes;           // hidden from the probe
  std::set<uint32_t> denied_register_opcodes;  // fail with EINVAL
  bool sparse_flag = true;                     // IORING_RSRC_REGISTER_SPARSE is supported

  // Each may return the result of the call. 1 means: call the real kernel.
  std::function<int(uint32_t entries, const io_uring_params& params)> on_setup;
  std::function<int(int fd, uint32_t* to_submit, uint32_t flags)> on_enter;
  std::function<int(uint32_t opcode)> on_register;

  uint32_t setup_calls = 0;

 private:
  static int Setup(uint32_t entries, io_uring_params* params) {
    FakeKernel& fake = *current_;
    ++fake.setup_calls;
    if ((params->flags & ~fake.setup_flags) != 0) return -EINVAL;
    if (fake.on_setup) {
      if (const int result = fake.on_setup(entries, *params); result != 1) return result;
    }
    const int fd = kKernelCalls.io_uring_setup(entries, params);
    params->features &= fake.features;
    return fd;
  }

  static int Enter(int fd, uint32_t to_submit, uint32_t min_complete, uint32_t flags,
                   void* argument, size_t size) {
    FakeKernel& fake = *current_;
    if ((flags & IORING_ENTER_EXT_ARG) != 0 && (fake.features & IORING_FEAT_EXT_ARG) == 0)
      return -EINVAL;
    if (fake.on_enter) {
      if (const int result = fake.on_enter(fd, &to_submit, flags); result != 1) return result;
    }
    return kKernelCalls.io_uring_enter(fd, to_submit, min_complete, flags, argument, size);
  }

  static int Register(int fd, uint32_t opcode, const void* argument, uint32_t count) {
    FakeKernel& fake = *current_;
    if (fake.denied_register_opcodes.contains(opcode)) return -EINVAL;
    if (fake.on_register) {
      if (const int result = fake.on_register(opcode); result != 1) return result;
    }
    const bool is_table = opcode == IORING_REGISTER_BUFFERS2 || opcode == IORING_REGISTER_FILES2;
    if (is_table && !fake.sparse_flag &&
        static_cast<const io_uring_rsrc_register*>(argument)->flags != 0)
      return -EINVAL;
    const int result = kKernelCalls.io_uring_register(fd, opcode, argument, count);
    if (opcode == IORING_REGISTER_PROBE) fake.HideOpcodes(const_cast<void*>(argument));
    return result;
  }

  void HideOpcodes(void* argument) const {
    auto* const probe = static_cast<io_uring_probe*>(argument);
    auto* const entries =
        reinterpret_cast<io_uring_probe_op*>(static_cast<char*>(argument) + sizeof(io_uring_probe));
    for (uint32_t i = 0; i < probe->ops_len; ++i) {
      if (missing_opcodes.contains(entries[i].op)) entries[i].flags = 0;
    }
  }

  static inline FakeKernel* current_ = nullptr;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_TESTING_FAKE_KERNEL_H_
