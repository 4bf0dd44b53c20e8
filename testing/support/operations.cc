#include "testing/support/operations.h"

namespace mooring::conformance {
namespace {

mooring_op_t Transfer(mooring_opcode_t opcode, int fd, uint64_t file_offset, const Place& place,
                      uint64_t size) {
  return {
      .opcode = opcode,
      .flags = 0,
      .fd = fd,
      .file_offset = file_offset,
      .registration = place.registration,
      .lease_first_index = place.first_index,
      .lease_generation = place.generation,
      .offset = place.offset,
      .size = size,
      .user_data = 0,
      .parameter = 0,
  };
}

mooring_op_t OfOpcode(mooring_opcode_t opcode, int fd) {
  return Transfer(opcode, fd, 0, Place{}, 0);
}

uint64_t Halves(uint32_t low, uint32_t high) { return low | uint64_t{high} << 32; }

}  // namespace

Place InLease(mooring_registration_t* registration, const mooring_lease_t& lease, uint64_t offset) {
  return {
      .registration = registration,
      .first_index = lease.first_index,
      .generation = lease.generation,
      .offset = offset,
  };
}

Place InSlab(mooring_registration_t* registration, uint64_t offset) {
  return {.registration = registration, .offset = offset};
}

Place AtAddress(void* data) { return {.offset = reinterpret_cast<uintptr_t>(data)}; }

mooring_op_t Nop() { return OfOpcode(MOORING_OPCODE_NOP, -1); }

mooring_op_t Read(int fd, uint64_t file_offset, const Place& place, uint64_t size) {
  return Transfer(MOORING_OPCODE_READ, fd, file_offset, place, size);
}

mooring_op_t Write(int fd, uint64_t file_offset, const Place& place, uint64_t size) {
  return Transfer(MOORING_OPCODE_WRITE, fd, file_offset, place, size);
}

mooring_op_t ReadStream(int fd, const Place& place, uint64_t size) {
  return Read(fd, MOORING_FILE_OFFSET_CURRENT, place, size);
}

mooring_op_t WriteStream(int fd, const Place& place, uint64_t size) {
  return Write(fd, MOORING_FILE_OFFSET_CURRENT, place, size);
}

mooring_op_t Fsync(int fd, uint64_t parameter) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_FSYNC, fd);
  operation.parameter = parameter;
  return operation;
}

mooring_op_t Fallocate(int fd, uint64_t file_offset, uint64_t size, uint32_t mode) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_FALLOCATE, fd);
  operation.file_offset = file_offset;
  operation.size = size;
  operation.parameter = mode;
  return operation;
}

mooring_op_t OpenAt(int directory_fd, const char* path, uint32_t flags, uint32_t mode) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_OPENAT, directory_fd);
  operation.offset = reinterpret_cast<uintptr_t>(path);
  operation.parameter = Halves(flags, mode);
  return operation;
}

mooring_op_t Close(int fd) { return OfOpcode(MOORING_OPCODE_CLOSE, fd); }

mooring_op_t Statx(int directory_fd, const char* path, uint32_t flags, uint32_t mask,
                   struct statx* out_status) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_STATX, directory_fd);
  operation.offset = reinterpret_cast<uintptr_t>(path);
  operation.file_offset = reinterpret_cast<uintptr_t>(out_status);
  operation.parameter = Halves(flags, mask);
  return operation;
}

mooring_op_t Timeout(uint64_t nanoseconds) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_TIMEOUT, -1);
  operation.offset = nanoseconds;
  return operation;
}

mooring_op_t Send(int fd, const Place& place, uint64_t size, int message_flags,
                  mooring_send_t kind) {
  mooring_op_t operation = Transfer(MOORING_OPCODE_SEND, fd, 0, place, size);
  operation.parameter = Halves(static_cast<uint32_t>(message_flags), kind);
  return operation;
}

mooring_op_t Recv(int fd, const Place& place, uint64_t size, int message_flags) {
  mooring_op_t operation = Transfer(MOORING_OPCODE_RECV, fd, 0, place, size);
  operation.parameter = static_cast<uint32_t>(message_flags);
  return operation;
}

mooring_op_t SendMsg(int fd, mooring_registration_t* registration,
                     const std::vector<mooring_segment_t>& segments, int message_flags) {
  const Place place = {.registration = registration,
                       .offset = reinterpret_cast<uintptr_t>(segments.data())};
  mooring_op_t operation = Transfer(MOORING_OPCODE_SENDMSG, fd, 0, place, segments.size());
  operation.parameter = static_cast<uint32_t>(message_flags);
  return operation;
}

mooring_op_t RecvMsg(int fd, mooring_registration_t* registration,
                     const std::vector<mooring_segment_t>& segments, int message_flags) {
  mooring_op_t operation = SendMsg(fd, registration, segments, message_flags);
  operation.opcode = MOORING_OPCODE_RECVMSG;
  return operation;
}

mooring_op_t Accept(int fd, int flags, sockaddr* out_peer, socklen_t* peer_bytes) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_ACCEPT, fd);
  operation.offset = reinterpret_cast<uintptr_t>(out_peer);
  operation.file_offset = reinterpret_cast<uintptr_t>(peer_bytes);
  operation.parameter = static_cast<uint32_t>(flags);
  return operation;
}

mooring_op_t Connect(int fd, const void* address, uint64_t size) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_CONNECT, fd);
  operation.offset = reinterpret_cast<uintptr_t>(address);
  operation.size = size;
  return operation;
}

mooring_op_t AcceptMultishot(int fd, int flags) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_ACCEPT_MULTISHOT, fd);
  operation.parameter = static_cast<uint32_t>(flags);
  return operation;
}

mooring_op_t RecvMultishot(int fd, mooring_registration_t* registration) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_RECV_MULTISHOT, fd);
  operation.registration = registration;
  return operation;
}

mooring_op_t Shutdown(int fd, int how) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_SHUTDOWN, fd);
  operation.parameter = static_cast<uint32_t>(how);
  return operation;
}

mooring_op_t Poll(int fd, uint32_t events) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_POLL, fd);
  operation.parameter = events;
  return operation;
}

mooring_op_t Cancel(uint64_t user_data) {
  mooring_op_t operation = OfOpcode(MOORING_OPCODE_CANCEL, -1);
  operation.offset = user_data;
  return operation;
}

mooring_op_t WithFlags(mooring_op_t operation, mooring_operation_flags_t flags) {
  operation.flags = flags;
  return operation;
}

mooring_op_t WithUserData(mooring_op_t operation, uint64_t user_data) {
  operation.user_data = user_data;
  return operation;
}

}  // namespace mooring::conformance
