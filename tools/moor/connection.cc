#include "tools/moor/connection.h"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "tools/moor/failure.h"
#include "tools/moor/interrupts.h"

namespace moor {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses Resolve(const TcpAddress& address, int flags) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  ThrowIfInterrupted();
  if (error != 0) {
    throw Failure("cannot find the host '" + address.host +
                      "': " + (error == EAI_SYSTEM ? DescribeError(errno) : ::gai_strerror(error)),
                  "check the spelling, or use its IP address (`getent hosts NAME` shows it)");
  }
  return Addresses(found, &::freeaddrinfo);
}

std::string FormatNumericAddress(const sockaddr* address, socklen_t size) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (::getnameinfo(address, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an unknown address";
  }
  return FormatTcpAddress({host, ParsePort(port).value_or(0)});
}

// Waits for one of `events` or an error.
void WaitFor(int fd, short events) {
  pollfd ready = {.fd = fd, .events = events, .revents = 0};
  while (::poll(&ready, 1, kInterruptCheckMilliseconds) <= 0) {
    ThrowIfInterrupted();
  }
}

int PendingError(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// Returns 0, or the errno of the attempt.
int TryConnect(int fd, const addrinfo& address) {
  if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0) {
    return 0;
  }
  if (errno != EINPROGRESS) {
    return errno;
  }
  WaitFor(fd, POLLOUT);
  return PendingError(fd);
}

[[noreturn]] void ThrowNetworkError(int error, const std::string& what) {
  std::string remedy = RemedyFor(error);
  if (error == ECONNREFUSED) {
    remedy = "start the receiver first (moor receive PORT FILE), and check the host and the port";
  } else if (error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH) {
    remedy = "check the host, the route to it, and the firewalls on the route";
  } else if (error == EADDRINUSE) {
    remedy =
        "another program listens there (`ss -ltnp` shows it): choose another port, or 0 for a free "
        "one";
  } else if (error == EADDRNOTAVAIL) {
    remedy = "use an address of this machine with --bind (`ip address` shows them)";
  } else if (error == EACCES) {
    remedy = "ports below 1024 are reserved for root: choose a higher port";
  }
  throw Failure(what + ": " + DescribeError(error), remedy);
}

// Sets whether a close resets the connection: it does with a linger of 0 seconds (socket(7)). An
// accepted socket inherits the linger of its listener.
void SetResetOnClose(int fd, bool reset, const std::string& peer) {
  const linger now = {.l_onoff = reset, .l_linger = 0};
  if (::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) != 0) {
    ThrowSystemError(errno, "cannot set up the connection to '" + peer + "'");
  }
}

}  // namespace

Connection Connection::Connect(const TcpAddress& address) {
  const std::string peer = FormatTcpAddress(address);
  const Addresses addresses = Resolve(address, 0);
  int error = 0;
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    // Non-blocking, so that a signal can end the wait.
    Descriptor fd(::socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                           each->ai_protocol));
    if (!fd) {
      error = errno;
      continue;
    }
    // Set before connect(2): the process may be killed immediately after connect(2) returns.
    SetResetOnClose(fd.get(), true, peer);
    error = TryConnect(fd.get(), *each);
    if (error != 0) {
      continue;
    }
    const int nonblocking = 0;
    if (::ioctl(fd.get(), FIONBIO, &nonblocking) != 0) {
      ThrowSystemError(errno, "cannot set up the connection to '" + peer + "'");
    }
    return Connection(std::move(fd), peer);
  }
  ThrowNetworkError(error, "cannot connect to '" + peer + "'");
}

void Connection::Finish() {
  if (::shutdown(fd_.get(), SHUT_WR) != 0) {
    ThrowSystemError(errno, "cannot end the connection to '" + peer_ + "'");
  }
  for (;;) {
    // Discards data from the peer: unread data would turn the close into a reset (RFC 2525, 2.17).
    char dropped[4096];
    ssize_t count;
    do {
      count = ::recv(fd_.get(), dropped, sizeof dropped, MSG_DONTWAIT);
    } while (count > 0);
    const bool failed = count < 0 && errno != EAGAIN && errno != EINTR;
    const int error = failed ? errno : PendingError(fd_.get());
    int unacknowledged = 0;
    if (error == 0 && ::ioctl(fd_.get(), SIOCOUTQ, &unacknowledged) != 0) {
      ThrowSystemError(errno, "cannot end the connection to '" + peer_ + "'");
    }
    if (error != 0) {
      ThrowSystemError(error, "'" + peer_ + "' did not acknowledge all bytes");
    }
    if (unacknowledged == 0) {
      break;
    }
    ThrowIfInterrupted();
    // The kernel posts no event for an acknowledgement (tcp(7), SIOCOUTQ); a reset ends the wait.
    pollfd reset = {.fd = fd_.get(), .events = 0, .revents = 0};
    ::poll(&reset, 1, 1);
  }
  DisableResetOnClose();
}

void Connection::DisableResetOnClose() { SetResetOnClose(fd_.get(), false, peer_); }

Listener::Listener(const TcpAddress& address) {
  const std::string what = "cannot listen on '" + FormatTcpAddress(address) + "'";
  const Addresses addresses = Resolve(address, AI_PASSIVE);
  fd_ = Descriptor(::socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd_) {
    ThrowNetworkError(errno, what);
  }
  SetResetOnClose(fd_.get(), true, FormatTcpAddress(address));
  const int yes = 1;
  if (::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(fd_.get(), addresses->ai_addr, addresses->ai_addrlen) != 0 ||
      ::listen(fd_.get(), 1) != 0) {
    ThrowNetworkError(errno, what);
  }
  sockaddr_storage bound = {};
  socklen_t size = sizeof bound;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    ThrowNetworkError(errno, what);
  }
  address_ = FormatNumericAddress(reinterpret_cast<sockaddr*>(&bound), size);
}

Connection Listener::Accept() {
  for (;;) {
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
    // The new descriptor blocks: it does not inherit O_NONBLOCK (accept4(2)).
    Descriptor fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    if (fd) {
      return Connection(std::move(fd),
                        FormatNumericAddress(reinterpret_cast<sockaddr*>(&peer), size));
    }
    // A peer that closed the connection before accept4(2) is not a failure (accept(2)).
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
      ThrowNetworkError(errno, "cannot accept a connection on '" + address_ + "'");
    }
    ThrowIfInterrupted();
    WaitFor(fd_.get(), POLLIN);
  }
}

}  // namespace moor
