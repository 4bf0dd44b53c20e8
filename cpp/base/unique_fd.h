// UniqueFd: owns a file descriptor and closes it.
#ifndef MOORING_CPP_BASE_UNIQUE_FD_H_
#define MOORING_CPP_BASE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace mooring {

class UniqueFd {
 public:
  constexpr UniqueFd() = default;
  constexpr explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) Reset(other.Release());
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  // close(2) is not repeated after EINTR: Linux has already released the descriptor (close(2),
  // "Dealing with error returns from close()").
  void Reset(int fd = -1) {
    const int old = std::exchange(fd_, fd);
    if (old >= 0) ::close(old);
  }

 private:
  int fd_ = -1;
};

}  // namespace mooring

#endif  // MOORING_CPP_BASE_UNIQUE_FD_H_
