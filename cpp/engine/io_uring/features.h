// UringFeatures: the features of a ring, found by probing the kernel for its opcodes and by trying,
// never by its release.
//
// Threading: any thread that may register with the ring.
//
//   UringFeatures features(uring);
//   if (const char* name = features.FirstMissingOpcode()) ...   // the kernel is too old
#ifndef MOORING_CPP_ENGINE_IO_URING_FEATURES_H_
#define MOORING_CPP_ENGINE_IO_URING_FEATURES_H_

#include <bitset>
#include <cstdint>

#include "cpp/engine/io_uring/uring.h"

namespace mooring {

class UringFeatures {
 public:
  explicit UringFeatures(const Uring& uring);

  // The result of the probe: 0, or a negative errno. -EINVAL: there is no probe, so the kernel is
  // older than 5.6.
  int probe_result() const { return probe_result_; }
  // The name of an opcode that the engine needs and the kernel does not have; null when there is
  // none.
  const char* FirstMissingOpcode() const;

  bool HasOpcode(uint8_t opcode) const { return opcodes_.test(opcode); }
  // The feature bits (engine.h) that follow from the opcodes, the flags of the ring and the
  // features that io_uring_setup(2) returned.
  uint64_t FeatureBits() const;

 private:
  const io_uring_params params_;
  int probe_result_ = 0;
  std::bitset<256> opcodes_;
};

// True when a request can close a file slot (IORING_OP_CLOSE with file_index, 5.15). A kernel
// without it would close descriptor 0 instead, so it is never tried with a valid descriptor. An
// opcode of the same release shows it; where that is missing, a trial on a separate ring does.
bool ClosesFileSlots(const UringCalls& calls, const UringFeatures& features);

// kFeatureSendZeroCopy, or 0. 0 before 6.2, where the kernel does not report whether a zero-copy
// send copied. A later opcode shows it; where that is missing, a trial on a separate ring does.
uint64_t TrySendZeroCopy(const UringCalls& calls, const UringFeatures& features);

// kFeatureCloneBuffers where single slots can be cloned into an existing table (6.13), or 0. It
// tries to clone from `source` to a second ring, which it makes and closes. `source` has no buffer
// table before the call and has one after it.
uint64_t TryClone(const UringCalls& calls, const Uring& source);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_FEATURES_H_
