// The opcode table: what the submitter checks of an operation, by its opcode. A new opcode begins
// with a row here; CONTRIBUTING.md lists what follows.
//
// Threading: constant.
#ifndef MOORING_CPP_RING_OPCODE_TABLE_H_
#define MOORING_CPP_RING_OPCODE_TABLE_H_

#include <cstdint>

#include "cpp/engine/request.h"

namespace mooring {

// How an operation describes the bytes that it moves.
enum class OpcodeBytes : uint8_t { kNone, kOneRange, kSegments };

struct OpcodeRule {
  uint16_t flags;  // that are allowed
  OpcodeBytes bytes;
  bool parameter;  // uses `parameter`
};

inline constexpr uint16_t kOrderFlags = kRequestLink | kRequestDrain;
inline constexpr uint16_t kFileFlags = kOrderFlags | kRequestFixedFile;

// By opcode, without the last two, which Submitter::StageMultishot checks.
inline constexpr OpcodeRule kOpcodeTable[kOpcodeCount - 2] = {
    {kOrderFlags, OpcodeBytes::kNone, false},     // nop
    {kFileFlags, OpcodeBytes::kOneRange, false},  // read
    {kFileFlags, OpcodeBytes::kOneRange, false},  // write
    {kFileFlags, OpcodeBytes::kNone, true},       // fsync
    {kFileFlags, OpcodeBytes::kNone, true},       // fallocate
    {kOrderFlags, OpcodeBytes::kNone, true},      // openat
    {kFileFlags, OpcodeBytes::kNone, false},      // close
    {kOrderFlags, OpcodeBytes::kNone, true},      // statx
    {kOrderFlags, OpcodeBytes::kNone, false},     // timeout
    {0, OpcodeBytes::kNone, false},               // cancel
    {kFileFlags, OpcodeBytes::kOneRange, true},   // send
    {kFileFlags, OpcodeBytes::kOneRange, true},   // recv
    {kFileFlags, OpcodeBytes::kNone, true},       // accept
    {kFileFlags, OpcodeBytes::kNone, false},      // connect
    {kFileFlags, OpcodeBytes::kNone, true},       // shutdown
    {kFileFlags, OpcodeBytes::kNone, true},       // poll
    {kFileFlags, OpcodeBytes::kSegments, true},   // sendmsg
    {kFileFlags, OpcodeBytes::kSegments, true},   // recvmsg
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_OPCODE_TABLE_H_
