#include "testing/support/sockets.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace mooring::conformance {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "the test cannot continue: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

const sockaddr* Generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

void SetOption(int fd, int name, int value) {
  Require(setsockopt(fd, SOL_SOCKET, name, &value, sizeof value) == 0, "setsockopt");
}

}  // namespace

SocketPair UnixPair(int type) {
  int ends[2];
  Require(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  return {.one = Fd(ends[0]), .other = Fd(ends[1])};
}

SocketPair TcpPair(int buffer_bytes) {
  const TcpListener listener;
  SocketPair pair{.one = TcpSocket(), .other = {}};
  if (buffer_bytes != 0) {
    SetOption(pair.one.get(), SO_SNDBUF, buffer_bytes);
    SetOption(listener.fd(), SO_RCVBUF, buffer_bytes);  // accepted sockets inherit it (tcp(7))
  }
  Require(connect(pair.one.get(), Generic(listener.address()), sizeof(sockaddr_in)) == 0,
          "connect");
  pair.other = Fd(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  Require(pair.other.get() >= 0, "accept4");
  return pair;
}

SocketPair StreamPair(Family family, int buffer_bytes) {
  if (family == Family::kTcp) return TcpPair(buffer_bytes);
  SocketPair pair = UnixPair();
  if (buffer_bytes != 0) SetOption(pair.one.get(), SO_SNDBUF, buffer_bytes);
  return pair;
}

TcpListener::TcpListener(int backlog) : fd_(BoundTcpSocket(&address_)) {
  Require(listen(fd_.get(), backlog) == 0, "listen");
}

Fd TcpSocket() {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Require(fd.get() >= 0, "socket");
  return fd;
}

Fd BoundTcpSocket(sockaddr_in* out_address) {
  Fd fd = TcpSocket();
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Require(bind(fd.get(), Generic(address), sizeof address) == 0, "bind");
  socklen_t size = sizeof address;
  Require(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "getsockname");
  *out_address = address;
  return fd;
}

void WriteAll(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    Require(written > 0, "send");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

std::vector<std::byte> ReadAll(int fd, uint64_t size) {
  std::vector<std::byte> bytes(size);
  uint64_t done = 0;
  while (done < size) {
    const ssize_t count = recv(fd, bytes.data() + done, size - done, 0);
    if (count < 0 && errno == EINTR) continue;
    Require(count >= 0, "recv");
    if (count == 0) break;
    done += static_cast<uint64_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

void ResetOnClose(int fd) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  Require(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0, "SO_LINGER");
}

uint64_t Unread(int fd) {
  int count = 0;
  Require(ioctl(fd, FIONREAD, &count) == 0, "FIONREAD");
  return static_cast<uint64_t>(count);
}

int FlagsOf(int fd) { return fcntl(fd, F_GETFL); }

void SetNonblocking(int fd) {
  Require(fcntl(fd, F_SETFL, FlagsOf(fd) | O_NONBLOCK) == 0, "O_NONBLOCK");
}

uint32_t DescriptorsOf(int fd) {
  struct stat wanted;
  Require(fstat(fd, &wanted) == 0, "fstat");
  uint32_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    struct stat found;
    if (stat(entry.path().c_str(), &found) != 0)
      continue;  // the iterator's descriptor, or one closed by another thread
    count += found.st_ino == wanted.st_ino && found.st_dev == wanted.st_dev;
  }
  return count;
}

}  // namespace mooring::conformance
