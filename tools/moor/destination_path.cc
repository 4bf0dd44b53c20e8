// FindDestination: resolves DST and checks whether a copy to it can succeed.
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

#include "tools/moor/destination.h"
#include "tools/moor/failure.h"

namespace moor {
namespace {

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

std::string BaseName(const std::string& path) {
  const std::string trimmed = WithoutTrailingSlashes(path);
  const size_t slash = trimmed.rfind('/');
  return slash == std::string::npos ? trimmed : trimmed.substr(slash + 1);
}

std::string ParentDirectory(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool SameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Returns the target of a chain of symbolic links: the rename must replace the target, not the
// link.
std::string FinalTarget(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr),
                                                             &std::free);
  if (!resolved) {
    ThrowSystemError(errno, "cannot write '" + path + "'");
  }
  return resolved.get();
}

void CheckReplaceable(const std::string& path, const struct stat& status) {
  if (S_ISSOCK(status.st_mode)) {
    throw Failure("'" + path + "' is a socket", "name a file, a pipe or a device");
  }
  // rename(2) checks only the permissions of the directory. A write-protected file must not be
  // replaced.
  if (S_ISREG(status.st_mode) && ::access(path.c_str(), W_OK) != 0) {
    const int error = errno;
    throw Failure(
        "cannot replace '" + path + "': " + DescribeError(error),
        error == EACCES ? "make it writable (chmod u+w), or remove it first" : RemedyFor(error));
  }
}

}  // namespace

DestinationPath FindDestination(const SourcePath& source, const std::string& path) {
  std::string wanted = path;
  struct stat status {};
  if (::stat(wanted.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    if (source.path == "-") {
      throw Failure("'" + path + "' is a directory, and the input has no name",
                    "name a file in the directory");
    }
    wanted = WithoutTrailingSlashes(wanted) + "/" + BaseName(source.path);
  }
  DestinationPath found;
  found.display_path = wanted;
  if (::stat(wanted.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) {
      throw Failure("'" + wanted + "' is a directory", "name a file, or remove the directory");
    }
    if (SameFile(status, source.status)) {
      throw Failure("'" + source.path + "' and '" + wanted + "' are the same file",
                    "name another destination");
    }
    CheckReplaceable(wanted, status);
    found.is_file = S_ISREG(status.st_mode);
    wanted = found.is_file ? FinalTarget(wanted) : wanted;
  } else if (errno != ENOENT) {
    ThrowSystemError(errno, "cannot write '" + wanted + "'");
  } else if (::lstat(wanted.c_str(), &status) == 0) {
    throw Failure("'" + wanted + "' is a symbolic link whose target does not exist",
                  "remove the link, or name the target file");
  }
  found.directory = ParentDirectory(wanted);
  found.name = BaseName(wanted);
  if (found.is_file && (wanted.empty() || wanted.back() == '/')) {
    throw Failure("'" + path + "' is not a directory", "create it first (mkdir), or name a file");
  }
  if (found.is_file && (::stat(found.directory.c_str(), &status) != 0)) {
    ThrowSystemError(errno, "cannot write '" + wanted + "'");
  }
  return found;
}

}  // namespace moor
