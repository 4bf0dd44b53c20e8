// dropping_network.h: a network namespace whose only device takes the sent pages without a copy and
// drops them. This is the only way to see on any machine that a send was not copied, because the
// loopback device always copies.
//
//   DroppingNetwork network;
//   SKIP_WITHOUT(network.valid(), "net_admin", kNetAdminRemedy);
//   Run(ring, {Send(network.udp_fd(), place, 32768)});
//
// Threading: one thread.
#ifndef MOORING_TESTING_SUPPORT_DROPPING_NETWORK_H_
#define MOORING_TESTING_SUPPORT_DROPPING_NETWORK_H_

#include "testing/support/files.h"

namespace mooring::conformance {

inline constexpr char kNetAdminRemedy[] =
    "a network namespace and a TAP device need CAP_SYS_ADMIN, CAP_NET_ADMIN and /dev/net/tun";

class DroppingNetwork {
 public:
  DroppingNetwork();

  bool valid() const { return socket_.get() >= 0; }
  // Connected to an address behind the device. Datagrams of up to kBytesMax are not fragmented.
  int udp_fd() const { return socket_.get(); }
  static constexpr int kBytesMax = 60'000;

 private:
  void Create();

  Fd device_;
  Fd socket_;
};

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_DROPPING_NETWORK_H_
