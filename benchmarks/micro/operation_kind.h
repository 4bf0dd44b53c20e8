// operation_kind.h: the measured operations, through the C interface and with liburing.
#ifndef MOORING_BENCHMARKS_MICRO_OPERATION_KIND_H_
#define MOORING_BENCHMARKS_MICRO_OPERATION_KIND_H_

#include <cstdint>

namespace mooring::benchmarks {

enum class OperationKind {
  kNop,
  kRead,       // 4 KiB of a cached file, to an unregistered address
  kReadFixed,  // the same through the ring's fixed-buffer table
};

// The most operations of a batch.
inline constexpr uint32_t kDepthMax = 32;

}  // namespace mooring::benchmarks

#endif  // MOORING_BENCHMARKS_MICRO_OPERATION_KIND_H_
