// Connection: one TCP connection that ends well or visibly. Listener: waits for one.
//
// A connection that is closed before Finish is reset, also when the process is killed: the other
// side gets an error, and never takes a part for the whole.
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
  // Tries every address that the name has. A signal ends the wait.
  static Connection Connect(const TcpAddress& address);

  int fd() const { return fd_.get(); }
  const std::string& peer() const { return peer_; }  // for messages

  // The sender's end: no more bytes follow. Waits until the other side's kernel has acknowledged
  // all of them, which may be before its program has read them. Then closing is no reset any more.
  void Finish();

  // The receiver's end: it has got everything and has it safe.
  void Keep();

 private:
  friend class Listener;
  Connection(Descriptor fd, std::string peer) : fd_(std::move(fd)), peer_(std::move(peer)) {}

  Descriptor fd_;
  std::string peer_;
};

class Listener {
 public:
  // `address.port` 0: a free port. Takes one connection at a time, so nobody else waits in vain.
  explicit Listener(const TcpAddress& address);

  // Where it listens, as numbers.
  const std::string& shown() const { return shown_; }

  // Waits for a connection; a signal ends the wait.
  Connection Accept();

 private:
  Descriptor fd_;
  std::string shown_;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_CONNECTION_H_
