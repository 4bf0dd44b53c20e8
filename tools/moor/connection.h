// Connection: one TCP connection that ends with a normal close or with a reset. Listener: waits for
// a connection.
//
// A connection that is closed before Finish is reset, also if the process is killed. The peer then
// gets an error and cannot mistake partial data for complete data.
//
// Lifecycle: closes on destruction. Threading: one owner.
//
//   Connection connection = Connection::Connect({"localhost", 9000});
//   ... send on connection.fd() ...
//   connection.Finish();
#ifndef MOORING_TOOLS_MOOR_CONNECTION_H_
#define MOORING_TOOLS_MOOR_CONNECTION_H_

#include <cstdint>
#include <string>
#include <utility>

#include "tools/moor/descriptor.h"
#include "tools/moor/tcp_address.h"

namespace moor {

class Connection {
 public:
  // Tries every address of the host name. A signal ends the wait.
  static Connection Connect(const TcpAddress& address);

  int fd() const { return fd_.get(); }
  const std::string& peer() const { return peer_; }  // for messages

  // For the sender, after the last byte. Waits until the peer's kernel has acknowledged all bytes,
  // which may be before the peer's program has read them. Afterwards a close is a normal close.
  void Finish();

  // For the receiver, when it has stored all bytes. Afterwards a close is a normal close.
  void DisableResetOnClose();

 private:
  friend class Listener;
  Connection(Descriptor fd, std::string peer) : fd_(std::move(fd)), peer_(std::move(peer)) {}

  Descriptor fd_;
  std::string peer_;
};

class Listener {
 public:
  // If `address.port` is 0, the kernel chooses a free port. The backlog is one connection.
  explicit Listener(const TcpAddress& address);

  // The numeric address and port that it listens on.
  const std::string& address() const { return address_; }

  // Waits for a connection; a signal ends the wait.
  Connection Accept();

 private:
  Descriptor fd_;
  std::string address_;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_CONNECTION_H_
