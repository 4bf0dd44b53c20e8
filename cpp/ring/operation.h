// Operation and Completion: what callers submit and reap, as plain data. The layout is that of
// mooring_op_t and mooring_completion_t (c_api asserts it), so a batch crosses the C boundary
// without a copy.
#ifndef MOORING_CPP_RING_OPERATION_H_
#define MOORING_CPP_RING_OPERATION_H_

#include <cstdint>

#include "cpp/engine/request.h"

namespace mooring {

class Registration;

// 64 bytes. Field by field as described in mooring/operation.h.
struct Operation {
  uint16_t opcode = 0;
  uint16_t flags = 0;  // RequestFlags
  int32_t fd = 0;
  uint64_t file_offset = 0;
  Registration* registration = nullptr;
  uint32_t lease_first_index = 0;
  uint32_t lease_generation = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t user_data = 0;
  uint64_t parameter = 0;
};
static_assert(sizeof(Operation) == 64);

// 24 bytes. One range of the bytes of a SENDMSG or RECVMSG.
struct Segment {
  uint32_t lease_first_index = 0;
  uint32_t lease_generation = 0;
  uint64_t offset = 0;
  uint64_t size = 0;
};
static_assert(sizeof(Segment) == 24);

// Same numbers as mooring_path_t.
enum class Path : uint32_t { kNone = 0, kFixed = 1, kCopy = 2 };

// True for SENDMSG and RECVMSG.
inline bool HasSegments(uint16_t opcode) {
  return opcode == static_cast<uint16_t>(Opcode::kSendmsg) ||
         opcode == static_cast<uint16_t>(Opcode::kRecvmsg);
}

// True for ACCEPT_MULTISHOT and RECV_MULTISHOT, the last opcodes.
inline bool IsMultishot(uint16_t opcode) {
  return opcode >= static_cast<uint16_t>(Opcode::kAcceptMultishot);
}

// Same numbers as mooring_send_t.
enum class SendKind : uint32_t { kAuto = 0, kZeroCopy = 1, kCopy = 2 };

// Same bits as mooring_completion_flags_t.
enum CompletionFlags : uint32_t {
  kCompletionEndOfFile = 1u << 0,
  kCompletionShort = 1u << 1,
  kCompletionMore = 1u << 2,
};

// 32 bytes.
struct Completion {
  uint64_t user_data = 0;
  int64_t result = 0;
  uint32_t flags = 0;
  Path path = Path::kNone;
  uint32_t lease_first_index = 0;
  uint32_t lease_generation = 0;
};
static_assert(sizeof(Completion) == 32);

}  // namespace mooring

#endif  // MOORING_CPP_RING_OPERATION_H_
