// TcpAddress: a host and a port, as the command line writes them: HOST:PORT, with [ ] around an
// IPv6 address.
//
// Threading: pure functions.
//
//   std::optional<TcpAddress> address = ParseTcpAddress("[::1]:9000");
#ifndef MOORING_TOOLS_MOOR_TCP_ADDRESS_H_
#define MOORING_TOOLS_MOOR_TCP_ADDRESS_H_

#include <cstdint>
#include <optional>
#include <string>

namespace moor {

struct TcpAddress {
  std::string host;  // a name or a number, without brackets
  uint16_t port = 0;
};

// Nothing where the text is none; port 0 counts as none.
std::optional<TcpAddress> ParseTcpAddress(const std::string& text);

// A number from 0 to 65535, in digits alone.
std::optional<uint16_t> ParsePort(const std::string& text);

// As ParseTcpAddress reads it.
std::string FormatTcpAddress(const TcpAddress& address);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_TCP_ADDRESS_H_
