#include "testing/support/held_page.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "testing/support/eventually.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kPage = 4096;

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "cannot hold a page: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

}  // namespace

// Without O_NONBLOCK, poll(2) returns POLLERR immediately (userfaultfd(2)).
HeldPage::HeldPage()
    : userfaultfd_(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK))) {
  Require(userfaultfd_.get() >= 0, "userfaultfd");
  uffdio_api api{};
  api.api = UFFD_API;
  Require(ioctl(userfaultfd_.get(), UFFDIO_API, &api) == 0, "UFFDIO_API");
  data_ = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Require(data_ != MAP_FAILED, "mmap");
  uffdio_register range{};
  range.range.start = reinterpret_cast<uintptr_t>(data_);
  range.range.len = kPage;
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  Require(ioctl(userfaultfd_.get(), UFFDIO_REGISTER, &range) == 0, "UFFDIO_REGISTER");
}

HeldPage::~HeldPage() {
  Release();
  munmap(data_, kPage);
}

bool HeldPage::WaitForUse() const {
  pollfd waiter{.fd = userfaultfd_.get(), .events = POLLIN, .revents = 0};
  const int patience_ms = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  int ready = 0;
  do {
    ready = poll(&waiter, 1, patience_ms);
  } while (ready < 0 && errno == EINTR);
  return ready == 1 && waiter.revents == POLLIN;
}

void HeldPage::Release() {
  uffdio_zeropage zero{};
  zero.range.start = reinterpret_cast<uintptr_t>(data_);
  zero.range.len = kPage;
  // EEXIST: the page was released before.
  Require(ioctl(userfaultfd_.get(), UFFDIO_ZEROPAGE, &zero) == 0 || errno == EEXIST,
          "UFFDIO_ZEROPAGE");
}

}  // namespace mooring::conformance
