// Uring: the owner of one io_uring: its descriptor, its mappings, the results of io_uring_setup(2),
// and its charge in the memlock ledger. setup.h chooses the flags.
//
// Lifecycle: Create, then any use. The destructor unmaps and closes; the kernel then cancels the
// requests in flight, some time later. A fork child does not have the mappings (MADV_DONTFORK). The
// destructor in a fork child closes the child's copy of the descriptor and does nothing else.
//
// Threading: Enter and Register: any thread that the flags of the ring allow.
//
//   Uring uring;
//   const int result = uring.Create(kKernelCalls, params, 8);   // 0, or a negative errno
//   uring.Enter(submitted, 1, IORING_ENTER_GETEVENTS, nullptr);
#ifndef MOORING_CPP_ENGINE_IO_URING_URING_H_
#define MOORING_CPP_ENGINE_IO_URING_URING_H_

#include <cstdint>

#include "cpp/engine/io_uring/abi.h"
#include "cpp/engine/io_uring/calls.h"
#include "cpp/os/process.h"

namespace mooring {

class Uring {
 public:
  Uring() = default;
  Uring(Uring&& other) noexcept { Swap(other); }
  Uring& operator=(Uring&&) = delete;
  ~Uring() { Close(); }

  // 0, or a negative errno. `params` is the argument of io_uring_setup(2). On failure the object is
  // unchanged, and the caller may try again.
  int Create(const UringCalls& calls, const io_uring_params& params, uint32_t entries);
  void Close();
  void Swap(Uring& other);

  bool valid() const { return ring_.ring_fd >= 0; }
  int fd() const { return ring_.ring_fd; }
  const io_uring& ring() const { return ring_; }
  const io_uring_params& params() const { return params_; }
  bool HasFlag(uint32_t flag) const { return (params_.flags & flag) != 0; }
  bool HasFeature(uint32_t feature) const { return (params_.features & feature) != 0; }

  // The bytes that the ring charges to RLIMIT_MEMLOCK; 0 where the kernel does not charge rings or
  // the creating process is exempt.
  uint64_t memlock_bytes() const { return memlock_bytes_; }
  bool memlock_exempt() const { return memlock_exempt_; }

  // io_uring_enter(2). `timeout` must be null without IORING_FEAT_EXT_ARG.
  int Enter(uint32_t to_submit, uint32_t min_complete, uint32_t flags,
            const __kernel_timespec* timeout) const {
    if (timeout == nullptr)
      return calls_->io_uring_enter(ring_.ring_fd, to_submit, min_complete, flags, nullptr,
                                    kSigsetBytes);
    io_uring_getevents_arg argument = {};
    argument.sigmask_sz = kSigsetBytes;
    argument.ts = reinterpret_cast<uint64_t>(timeout);
    return calls_->io_uring_enter(ring_.ring_fd, to_submit, min_complete,
                                  flags | IORING_ENTER_EXT_ARG, &argument, sizeof(argument));
  }
  // io_uring_register(2).
  int Register(uint32_t opcode, const void* argument, uint32_t count) const {
    return calls_->io_uring_register(ring_.ring_fd, opcode, argument, count);
  }

  // True when this kernel charges rings to RLIMIT_MEMLOCK, unless the process is exempt. Call it
  // before the ring has a buffer table.
  bool KernelChargesRings() const;
  // The charge for a ring of these sizes, on kernels that charge rings.
  static uint64_t ChargedBytes(const io_uring_params& params);

 private:
  static constexpr uint32_t kSigsetBytes = 64 / 8;  // _NSIG bits in the kernel's sigset_t

  io_uring ring_ = {.ring_fd = -1};
  io_uring_params params_ = {};
  const UringCalls* calls_ = nullptr;
  ProcessToken creator_ = ProcessToken::kNone;
  uint64_t memlock_bytes_ = 0;
  bool memlock_exempt_ = false;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_URING_H_
