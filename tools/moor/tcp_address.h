// TcpAddress: a host and a port, in the format of the command line: HOST:PORT, with [ ] around an
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
  std::string host;  // a name or an IP address, without brackets
  uint16_t port = 0;
};

// Returns nothing if the text is not valid. Port 0 is not valid.
std::optional<TcpAddress> ParseTcpAddress(const std::string& text);

// Parses a number from 0 to 65535 that consists of digits only.
std::optional<uint16_t> ParsePort(const std::string& text);

// The inverse of ParseTcpAddress.
std::string FormatTcpAddress(const TcpAddress& address);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_TCP_ADDRESS_H_
