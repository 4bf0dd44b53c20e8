// operations.h: constructors of operations, for one line each.
//
//   Run(ring, {Write(fd, 0, InLease(registration, lease), 4096), Fsync(fd)});
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_OPERATIONS_H_
#define MOORING_TESTING_SUPPORT_OPERATIONS_H_

#include <mooring/mooring.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdint>
#include <vector>

namespace mooring::conformance {

// Where the bytes of an operation are. The library's operation.h defines the three forms.
struct Place {
  mooring_registration_t* registration = nullptr;
  uint32_t first_index = 0;
  uint32_t generation = 0;
  uint64_t offset = 0;
};

Place InLease(mooring_registration_t* registration, const mooring_lease_t& lease,
              uint64_t offset = 0);
Place InSlab(mooring_registration_t* registration, uint64_t offset);
Place AtAddress(void* data);

mooring_op_t Nop();
mooring_op_t Read(int fd, uint64_t file_offset, const Place& place, uint64_t size);
mooring_op_t Write(int fd, uint64_t file_offset, const Place& place, uint64_t size);
// At the current position, or from or to a pipe.
mooring_op_t ReadStream(int fd, const Place& place, uint64_t size);
mooring_op_t WriteStream(int fd, const Place& place, uint64_t size);
mooring_op_t Fsync(int fd, uint64_t parameter = 0);
mooring_op_t Fallocate(int fd, uint64_t file_offset, uint64_t size, uint32_t mode = 0);
mooring_op_t OpenAt(int directory_fd, const char* path, uint32_t flags, uint32_t mode = 0);
mooring_op_t Close(int fd);
mooring_op_t Statx(int directory_fd, const char* path, uint32_t flags, uint32_t mask,
                   struct statx* out_status);
mooring_op_t Timeout(uint64_t nanoseconds);
mooring_op_t Send(int fd, const Place& place, uint64_t size, int message_flags = 0,
                  mooring_send_t kind = MOORING_SEND_AUTO);
mooring_op_t Recv(int fd, const Place& place, uint64_t size, int message_flags = 0);
// `segments` must stay valid until submit has returned.
mooring_op_t SendMsg(int fd, mooring_registration_t* registration,
                     const std::vector<mooring_segment_t>& segments, int message_flags = 0);
mooring_op_t RecvMsg(int fd, mooring_registration_t* registration,
                     const std::vector<mooring_segment_t>& segments, int message_flags = 0);
mooring_op_t Accept(int fd, int flags = 0, sockaddr* out_peer = nullptr,
                    socklen_t* peer_bytes = nullptr);
mooring_op_t AcceptMultishot(int fd, int flags = 0);
mooring_op_t RecvMultishot(int fd, mooring_registration_t* registration);
mooring_op_t Connect(int fd, const void* address, uint64_t size);
mooring_op_t Shutdown(int fd, int how);
mooring_op_t Poll(int fd, uint32_t events);
mooring_op_t Cancel(uint64_t user_data);

mooring_op_t WithFlags(mooring_op_t operation, mooring_operation_flags_t flags);
mooring_op_t WithUserData(mooring_op_t operation, uint64_t user_data);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_OPERATIONS_H_
