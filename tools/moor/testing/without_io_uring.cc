// without_io_uring EPERM|ENOSYS PROGRAM [ARGUMENT...]: runs a program under a seccomp filter that
// makes the three system calls of io_uring fail as in containers: with EPERM (Docker) or ENOSYS
// (Podman).
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>

#include <seccomp.h>
#include <unistd.h>

namespace {

int LoadFilter(int error) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) {
    return -ENOMEM;
  }
  int result = 0;
  for (const int call :
       {SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)}) {
    if (result == 0) {
      result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(static_cast<unsigned>(error)), call, 0);
    }
  }
  if (result == 0) {
    result = seccomp_load(filter);
  }
  seccomp_release(filter);
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  const bool denied = argc > 2 && std::strcmp(argv[1], "EPERM") == 0;
  const bool missing = argc > 2 && std::strcmp(argv[1], "ENOSYS") == 0;
  if (!denied && !missing) {
    std::fprintf(stderr, "usage: without_io_uring EPERM|ENOSYS PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  const int result = LoadFilter(denied ? EPERM : ENOSYS);
  if (result != 0) {
    std::fprintf(stderr, "without_io_uring: cannot load the filter: %s\n", std::strerror(-result));
    return 126;
  }
  ::execvp(argv[2], argv + 2);
  std::fprintf(stderr, "without_io_uring: %s: %s\n", argv[2], std::strerror(errno));
  return 127;
}
