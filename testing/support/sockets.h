// sockets.h: connected pairs and listeners, over AF_UNIX and over loopback TCP.
//
//   SocketPair pair = TcpPair();
//   WriteAll(pair.other.get(), bytes);
//
// All of them abort the program when a system call fails: a test cannot continue without them.
//
// Threading: one thread per object.
#ifndef MOORING_TESTING_SUPPORT_SOCKETS_H_
#define MOORING_TESTING_SUPPORT_SOCKETS_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "testing/support/files.h"

namespace mooring::conformance {

enum class Family { kUnix, kTcp };
inline constexpr Family kFamilies[] = {Family::kUnix, Family::kTcp};
inline const char* NameOf(Family family) { return family == Family::kUnix ? "AF_UNIX" : "TCP"; }

struct SocketPair {
  Fd one;
  Fd other;
};

SocketPair UnixPair(int type = SOCK_STREAM);
// `buffer_bytes` limits the bytes that the kernel buffers between the two; 0 = the kernel's
// default.
SocketPair TcpPair(int buffer_bytes = 0);
SocketPair StreamPair(Family family, int buffer_bytes = 0);

// Listens on a loopback port that the kernel chooses.
class TcpListener {
 public:
  explicit TcpListener(int backlog = 16);

  int fd() const { return fd_.get(); }
  // The address to connect to.
  const sockaddr_in& address() const { return address_; }
  void Close() { fd_.Close(); }

 private:
  sockaddr_in address_ = {};
  Fd fd_;  // after the address, which its construction sets
};

Fd TcpSocket();
// A loopback port without a listener. It stays so while the descriptor is open.
Fd BoundTcpSocket(sockaddr_in* out_address);

// Blocks until all bytes are written.
void WriteAll(int fd, std::span<const std::byte> bytes);
// Blocks until `size` bytes have arrived. Returns fewer at the end of the stream.
std::vector<std::byte> ReadAll(int fd, uint64_t size);
// Makes the next close(2) of a TCP socket send a reset.
void ResetOnClose(int fd);
// Bytes that are available to receive (FIONREAD).
uint64_t Unread(int fd);
int FlagsOf(int fd);
void SetNonblocking(int fd);
// How many descriptors of this process refer to the same socket.
uint32_t DescriptorsOf(int fd);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_SOCKETS_H_
