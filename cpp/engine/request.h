// Request and Event: one operation and its result, as an engine handles them: addresses,
// descriptors and table slots. An engine does not know the slab, lease or registration behind them.
// cpp/ring does, and finds them by the token.
#ifndef MOORING_CPP_ENGINE_REQUEST_H_
#define MOORING_CPP_ENGINE_REQUEST_H_

#include <cstdint>

namespace mooring {

// Same numbers as mooring_opcode_t.
enum class Opcode : uint16_t {
  kNop = 0,
  kRead = 1,
  kWrite = 2,
  kFsync = 3,
  kFallocate = 4,
  kOpenat = 5,
  kClose = 6,
  kStatx = 7,
  kTimeout = 8,
  kCancel = 9,
  kSend = 10,
  kRecv = 11,
  kAccept = 12,
  kConnect = 13,
  kShutdown = 14,
  kPoll = 15,
  kSendmsg = 16,
  kRecvmsg = 17,
  // For operations only. Their requests have the opcodes kAccept and kRecv, with kRequestMultishot
  // where the engine supports multishot.
  kAcceptMultishot = 18,
  kRecvMultishot = 19,
};
inline constexpr uint16_t kOpcodeCount = 20;

// Same bits as mooring_operation_flags_t, and one more.
enum RequestFlags : uint16_t {
  kRequestLink = 1u << 0,
  kRequestDrain = 1u << 1,
  kRequestFixedFile = 1u << 2,
  // For accept and recv, in engines with kFeatureAcceptMultishot and kFeatureRecvMultishot: the
  // request gives several events, all but the last with kEventMore. Such a recv takes its memory
  // from `provided_group`.
  kRequestMultishot = 1u << 3,
};

// The most bytes that one read, write, send or receive transfers (read(2)): 2^31 - 4096.
inline constexpr uint64_t kTransferBytesMax = 0x7ffff000;

// The most ranges of a sendmsg or recvmsg. Same number as MOORING_SEGMENT_COUNT_MAX.
inline constexpr uint32_t kSegmentCountMax = 16;

inline constexpr uint64_t kFileOffsetCurrent = UINT64_MAX;
inline constexpr int32_t kNoBufferSlot = -1;

// Fields with a special meaning, by opcode:
// - accept: address = buffer for a sockaddr or null; file_offset = address of its socklen_t;
//   parameter = SOCK_*.
// - cancel: size64 = token of the request to cancel.
// - connect: address = a sockaddr; size64 = its length.
// - fallocate: size64 = length; parameter = mode.
// - fsync: parameter = 1 for data only.
// - openat: address = path; parameter = flags | mode << 32.
// - poll: parameter = POLL*.
// - send, recv: parameter = MSG_*. A send with a buffer_slot is zero-copy, where the kernel can.
// - sendmsg, recvmsg: address = a msghdr with at most kSegmentCountMax ranges, valid until the
//   event; size64 = the sum of their bytes; parameter = MSG_*.
// - shutdown: parameter = how.
// - statx: address = path; file_offset = address of the struct statx; parameter = flags |
//   mask << 32.
// - timeout: size64 = nanoseconds from now.
struct Request {
  Opcode opcode = Opcode::kNop;
  uint16_t flags = 0;  // RequestFlags
  int32_t fd = -1;     // a descriptor, or a slot of the file table with kRequestFixedFile
  uint64_t file_offset = 0;
  void* address = nullptr;
  uint64_t size64 = 0;  // bytes; in transfers at most kTransferBytesMax
  // The slot of the fixed-buffer table that contains [address, address + size64), or none.
  int32_t buffer_slot = kNoBufferSlot;
  uint32_t provided_group = 0;  // of a ProvidedRing, with kRequestMultishot
  uint64_t parameter = 0;
  uint64_t token = 0;  // copied to the event. The top bit is clear: it marks buffer tags.
};

// Set in the tag of a fixed-buffer slot (Engine::UpdateBuffers), and so in the token of the event
// which reports that the kernel has released the pages of that slot.
inline constexpr uint64_t kBufferTagBit = uint64_t{1} << 63;

// The kernel's own bits and numbers. Other bits of the kernel may be set too.
enum EventFlags : uint32_t {
  // IORING_CQE_F_BUFFER: a provided buffer was used, see ProvidedIdOf.
  kEventBuffer = 1u << 0,
  // IORING_CQE_F_MORE: another event of this request follows. Its memory is still in use.
  kEventMore = 1u << 1,
  // IORING_CQE_F_NOTIF: the second event of a zero-copy send. See kNotificationCopied.
  kEventNotification = 1u << 3,
};
// The id of the provided buffer, in an event with kEventBuffer.
inline constexpr uint32_t kEventBufferIdShift = 16;
inline uint16_t ProvidedIdOf(uint32_t event_flags) {
  return static_cast<uint16_t>(event_flags >> kEventBufferIdShift);
}

// Set in the result of a notification when the kernel copied the bytes
// (IORING_NOTIF_USAGE_ZC_COPIED).
inline constexpr uint32_t kNotificationCopied = 1u << 31;

// One result. Each request gets exactly one event, with two exceptions: a request with
// kRequestMultishot, and a send with a buffer_slot, whose first event may be followed by a
// notification. An event whose token has kBufferTagBit reports a released buffer tag, or is
// internal to the engine. Callers ignore it when they do not know the tag.
struct Event {
  uint64_t token = 0;
  int32_t result = 0;  // the opcode's result (bytes, for transfers), or a negative errno
  uint32_t flags = 0;  // EventFlags
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_REQUEST_H_
