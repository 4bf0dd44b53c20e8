#include "tools/moor/failure.h"

#include <cerrno>
#include <memory>
#include <system_error>

namespace moor {

std::string RemedyFor(int system_error) {
  switch (system_error) {
    case EACCES:
    case EPERM:
      return "check the owner and the permissions of each directory of the path with `ls -ld`, or "
             "run as a user with access";
    case ENOENT:
      return "check the spelling; list the directory that should contain it with `ls -la`";
    case ENOTDIR:
      return "a part of the path is a file, not a directory: check the spelling";
    case EISDIR:
      return "name a file inside the directory";
    case ELOOP:
      return "the symbolic links form a loop: show them with `namei -l`";
    case ENAMETOOLONG:
      return "use a shorter name";
    case ENOSPC:
      return "free space on that filesystem (see `df -h` and `df -i`), or choose another one";
    case EDQUOT:
      return "the quota is used up: remove files, or request a larger quota (see `quota`)";
    case EFBIG:
      return "the filesystem or `ulimit -f` does not allow a file of this size: choose another "
             "filesystem, or raise the limit";
    case EROFS:
      return "the filesystem is read-only: choose another one, or remount it for writing";
    case EBUSY:
      return "a filesystem is mounted on that name: choose another name";
    case EBADF:
      return "the standard stream was closed before the program started: do not start it with "
             "`>&-`";
    case EMFILE:
    case ENFILE:
      return "too many files are open: raise `ulimit -n`, or close files";
    case EIO:
      return "the storage reported an error: see `dmesg` and check the device";
    case ENXIO:
      return "it is a socket, or a device that is not present: name a file";
    case EPIPE:
      return "the reader closed the pipe: keep it open until the end";
    case ECONNRESET:
      return "the other side closed the connection before the end: its messages give the reason";
    case ETXTBSY:
      return "the file is a running program: stop it first";
    case ENOMEM:
      return "free memory on this machine or in this control group";
    case EINVAL:
      return "this file or filesystem does not support the operation: try --direct off";
    default:
      return "see the message; `moor doctor` shows what this machine allows";
  }
}

std::string DescribeError(int system_error) {
  return std::generic_category().message(system_error);
}

void ThrowSystemError(int system_error, const std::string& what) {
  throw Failure(what + ": " + DescribeError(system_error), RemedyFor(system_error));
}

void Check(mooring_error_t* error) {
  if (error == nullptr) {
    return;
  }
  const std::unique_ptr<mooring_error_t, decltype(&mooring_error_destroy)> owned(
      error, &mooring_error_destroy);
  throw Failure(mooring_error_message(error), mooring_error_remedy(error));
}

}  // namespace moor
