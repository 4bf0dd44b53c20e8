// Request and Event: one operation and its outcome as an engine sees them: addresses, descriptors
// and table slots. What they belong to (slabs, leases, registrations) is known above, in
// cpp/operations, which finds it again by the token.
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
  // Of operations only: their requests are those of accept and recv, each with kRequestMultishot
  // where the engine repeats them itself.
  kAcceptMultishot = 18,
  kRecvMultishot = 19,
};
inline constexpr uint16_t kOpcodeCount = 20;

// Same bits as mooring_operation_flags_t, and one more.
enum RequestFlags : uint16_t {
  kRequestLink = 1u << 0,
  kRequestDrain = 1u << 1,
  kRequestFixedFile = 1u << 2,
  // Of accept and recv, for engines with kFeatureAcceptMultishot and kFeatureRecvMultishot: one
  // event after another, all but the last with kEventMore. Such a recv takes its memory from
  // `provided_group`.
  kRequestMultishot = 1u << 3,
};

// The most that one read, write, send or receive moves (read(2)): 2^31 less one page.
inline constexpr uint64_t kTransferBytesMax = 0x7ffff000;

// The most ranges of a sendmsg or recvmsg. Same number as MOORING_SEGMENT_COUNT_MAX.
inline constexpr uint32_t kSegmentCountMax = 16;

inline constexpr uint64_t kFileOffsetCurrent = UINT64_MAX;
inline constexpr int32_t kNoBufferSlot = -1;

// By opcode, where a field is not what its name says:
//   openat:    address = path, parameter = flags | mode << 32
//   statx:     address = path, file_offset = address of the struct statx, parameter = flags | mask
//   << 32 fsync:     parameter = 1 for data only          fallocate: size64 = length, parameter =
//   mode timeout:   size64 = nanoseconds from now        cancel:    size64 = token of the request
//   to cancel send, recv: parameter = MSG_*; a send with a buffer_slot copies nothing, if the
//   kernel can sendmsg, recvmsg: address = a msghdr with no more than kSegmentCountMax ranges,
//   which stays until the event;
//              size64 = their bytes in sum, parameter = MSG_*
//   shutdown:  parameter = how                      poll:      parameter = POLL*
//   accept:    address = room for a sockaddr or null, file_offset = address of its socklen_t,
//   parameter = SOCK_* connect:   address = a sockaddr, size64 = its length
struct Request {
  Opcode opcode = Opcode::kNop;
  uint16_t flags = 0;  // RequestFlags
  int32_t fd = -1;     // or slot of the file table with kRequestFixedFile
  uint64_t file_offset = 0;
  void* address = nullptr;
  uint64_t size64 = 0;                  // bytes; what moves data: at most kTransferBytesMax
  int32_t buffer_slot = kNoBufferSlot;  // slot of the fixed-buffer table that holds [address,
                                        // address + size), or none
  uint32_t provided_group = 0;          // of a ProvidedRing, with kRequestMultishot
  uint64_t parameter = 0;
  uint64_t token = 0;  // comes back in the event. The top bit is clear: it marks buffer tags.
};

// Set in the tag of a fixed-buffer slot (Engine::UpdateBuffers), and so in the token of the event
// that says that the kernel has let go of that slot's pages.
inline constexpr uint64_t kBufferTagBit = uint64_t{1} << 63;

// The kernel's own bits and numbers; there may be others of the kernel's.
enum EventFlags : uint32_t {
  kEventBuffer = 1u << 0,  // IORING_CQE_F_BUFFER: a provided buffer was taken, see ProvidedIdOf
  kEventMore =
      1u
      << 1,  // IORING_CQE_F_MORE: another event of this request follows, and its memory is in use
  kEventNotification =
      1u << 3,  // IORING_CQE_F_NOTIF: that other one. `result` says how the bytes went
};
// Of an event with kEventBuffer: which.
inline constexpr uint32_t kEventBufferIdShift = 16;
inline uint16_t ProvidedIdOf(uint32_t event_flags) {
  return static_cast<uint16_t>(event_flags >> kEventBufferIdShift);
}

// In the result of a notification: the kernel has copied after all (IORING_NOTIF_USAGE_ZC_COPIED).
inline constexpr uint32_t kNotificationCopied = 1u << 31;

// One outcome. Every request gets exactly one event, but for one with kRequestMultishot, and for a
// send with a buffer_slot: its first may be followed by a notification. An event whose token has
// kBufferTagBit is a tag that came back, or the engine's own affair: one that is not known is
// ignored.
struct Event {
  uint64_t token = 0;
  int32_t result = 0;  // bytes or what the opcode says, or a negative errno
  uint32_t flags = 0;  // EventFlags
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_REQUEST_H_
