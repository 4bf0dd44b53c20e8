// sockets.h: connected pairs and listeners, over AF_UNIX and over loopback TCP.
//
//   SocketPair pair = TcpPair();
//   WriteAll(pair.other.get(), bytes);
//
// All of them abort the program when the system refuses: a test cannot go on without them.
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
// `buffer_bytes` bounds what the kernel keeps between the two; 0 leaves that to the kernel.
SocketPair TcpPair(int buffer_bytes = 0);
SocketPair StreamPair(Family family, int buffer_bytes = 0);

// Listens on a loopback port that the kernel chooses.
class TcpListener {
 public:
  explicit TcpListener(int backlog = 16);

  int fd() const { return fd_.get(); }
  // Where to connect.
  const sockaddr_in& address() const { return address_; }
  void Close() { fd_.Close(); }

 private:
  sockaddr_in address_ = {};
  Fd fd_;  // after the address, which making it fills in
};

Fd TcpSocket();
// A loopback port that nobody listens on, for as long as the descriptor is open.
Fd BoundTcpSocket(sockaddr_in* out_address);

// Waits as long as it takes.
void WriteAll(int fd, std::span<const std::byte> bytes);
// Waits for as many; fewer at the end of the stream.
std::vector<std::byte> ReadAll(int fd, uint64_t size);
// The next close(2) of a TCP socket sends a reset.
void ResetOnClose(int fd);
// Bytes that wait to be received (FIONREAD).
uint64_t Unread(int fd);
int FlagsOf(int fd);
void SetNonblocking(int fd);
// How many descriptors of this process stand for the same socket.
uint32_t DescriptorsOf(int fd);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_SOCKETS_H_
