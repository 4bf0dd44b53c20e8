#include "testing/support/dropping_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <thread>

namespace mooring::conformance {
namespace {

sockaddr_in AddressOf(const char* text, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, text, &address.sin_addr);
  return address;
}

// A TAP device whose filter drops every packet. It offers checksum offload, so the kernel does not
// read the bytes that it sends.
bool Attach(int device, ifreq* request) {
  std::memset(request, 0, sizeof *request);
  std::strncpy(request->ifr_name, "mooring%d", IFNAMSIZ - 1);
  request->ifr_flags = IFF_TAP | IFF_NO_PI;
  if (ioctl(device, TUNSETIFF, request) != 0) return false;
  if (ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM) != 0) return false;
  sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  sock_fprog program = {.len = 1, .filter = &drop};
  return ioctl(device, TUNATTACHFILTER, &program) == 0;
}

// Without ARP, because no peer replies.
bool BringUp(int socket, ifreq* request) {
  const sockaddr_in address = AddressOf("10.9.8.1", 0);
  std::memcpy(&request->ifr_addr, &address, sizeof address);
  if (ioctl(socket, SIOCSIFADDR, request) != 0) return false;
  request->ifr_mtu = DroppingNetwork::kBytesMax + 100;
  if (ioctl(socket, SIOCSIFMTU, request) != 0) return false;
  request->ifr_flags = IFF_UP | IFF_NOARP;
  return ioctl(socket, SIOCSIFFLAGS, request) == 0;
}

}  // namespace

// A separate thread moves to the new namespace, so the test's thread stays in the old one. The
// namespace lives as long as its socket.
DroppingNetwork::DroppingNetwork() { std::thread(&DroppingNetwork::Create, this).join(); }

void DroppingNetwork::Create() {
  if (unshare(CLONE_NEWNET) != 0) return;
  device_ = Fd(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request;
  if (device_.get() < 0 || fd.get() < 0) return;
  if (!Attach(device_.get(), &request) || !BringUp(fd.get(), &request)) return;
  const sockaddr_in peer = AddressOf("10.9.8.7", 9);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) return;
  socket_ = std::move(fd);
}

}  // namespace mooring::conformance
