// Descriptor: owns one open file descriptor.
//
// Lifecycle: closes on destruction; -1 means none. Threading: one owner at a time.
#ifndef MOORING_TOOLS_MOOR_DESCRIPTOR_H_
#define MOORING_TOOLS_MOOR_DESCRIPTOR_H_

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace moor {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Reset(std::exchange(other.fd_, -1));
    }
    return *this;
  }
  ~Descriptor() { Reset(-1); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  // Closes and returns 0, or the errno of close(2): a network filesystem may report a failed write
  // only on close.
  int Close() { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

 private:
  void Reset(int fd) {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = fd;
  }

  int fd_ = -1;
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DESCRIPTOR_H_
