// UringFeatures: what a ring can do, found by asking the kernel for its opcodes and by trying;
// never by its release.
//
// Threading: any thread that may register with the ring.
//
//   UringFeatures features(uring);
//   if (const char* name = features.FirstMissingOpcode()) ...   // too old for us
#ifndef MOORING_CPP_ENGINE_IO_URING_FEATURES_H_
#define MOORING_CPP_ENGINE_IO_URING_FEATURES_H_

#include <bitset>
#include <cstdint>

#include "cpp/engine/io_uring/uring.h"

namespace mooring {

class UringFeatures {
 public:
  explicit UringFeatures(const Uring& uring);

  // Of the probe itself: 0, or a negative errno. -EINVAL: there is no probe, so the kernel is older
  // than 5.6.
  int probe_error() const { return probe_error_; }
  // The name of one that the engine cannot do without and the kernel has not; null when it has all
  // of them.
  const char* FirstMissingOpcode() const;

  bool HasOpcode(uint8_t opcode) const { return opcodes_.test(opcode); }
  // Feature bits (engine.h) that show in the opcodes, the flags in force and the kernel's own list
  // of features.
  uint64_t FeatureBits() const;

 private:
  const io_uring_params params_;
  int probe_error_ = 0;
  std::bitset<256> opcodes_;
};

// True when closing a file slot is an operation (IORING_OP_CLOSE with file_index, 5.15). A kernel
// that does not know takes it for closing descriptor 0, so it is found without one: by opcodes as
// new, else by trying on a ring of its own.
bool ClosesFileSlots(const UringCalls& calls, const UringFeatures& features);

// kFeatureSendZeroCopy, or 0. A zero-copy send that does not tell when it copied after all (before
// 6.2) is none: it could not be told which path bytes took. By opcodes as new, else by trying on a
// ring of its own.
uint64_t TrySendZeroCopy(const UringCalls& calls, const UringFeatures& features);

// kFeatureCloneBuffers where single slots can be cloned into a table that is there (6.13), or 0. By
// trying between `source`, which has no table yet and gets one, and a second ring, which it makes
// and closes.
uint64_t TryClone(const UringCalls& calls, const Uring& source);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_FEATURES_H_
