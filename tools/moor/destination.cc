#include "tools/moor/destination.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "tools/moor/failure.h"
#include "tools/moor/sizes.h"

namespace moor {
namespace {

constexpr int kNameAttemptCount = 100;
constexpr size_t kRandomLetterCount = 6;
constexpr long kXfsMagic = 0x58465342;  // not in linux/magic.h

std::string RandomLetters() {
  static constexpr char kLetters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  unsigned char bytes[kRandomLetterCount];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
    ThrowSystemError(errno, "cannot choose a temporary name");
  }
  std::string letters;
  for (const unsigned char byte : bytes) {
    letters += kLetters[byte % (sizeof kLetters - 1)];
  }
  return letters;
}

// Whether fallocate(2) reserves space without writing to it. On other filesystems it may write
// zeros (network filesystems) or waste space (btrfs stores reserved ranges uncompressed).
bool HasCheapFallocate(int fd) {
  struct statfs filesystem {};
  if (::fstatfs(fd, &filesystem) != 0) {
    return false;
  }
  return filesystem.f_type == EXT4_SUPER_MAGIC || filesystem.f_type == kXfsMagic ||
         filesystem.f_type == TMPFS_MAGIC;
}

// Some filesystems have no modes, or no times that a user can set. That is not a failure.
bool IsMetadataUnsupported(int error) {
  return error == EPERM || error == EOPNOTSUPP || error == ENOSYS;
}

}  // namespace

void ThrowExists(const std::string& existing) {
  throw Failure("'" + existing + "' already exists",
                "name another file, or add --force to replace it");
}

std::string TemporaryName(const std::string& name, size_t name_bytes_max,
                          const std::string& random) {
  const std::string suffix = ".moor-" + random;
  return "." + name.substr(0, name_bytes_max - suffix.size() - 1) + suffix;
}

Destination::Destination(const DestinationPath& path) : path_(path) {
  if (path_.is_file) {
    CreateTemporary();
  } else {
    OpenDevice();
  }
}

Destination::~Destination() { Remove(); }

void Destination::CreateTemporary() {
  directory_ = Descriptor(::open(path_.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory_) {
    ThrowSystemError(errno, "cannot write '" + path_.display_path + "'");
  }
  const long reported = ::pathconf(path_.directory.c_str(), _PC_NAME_MAX);
  const size_t name_bytes_max =
      reported > 64 ? std::min<size_t>(static_cast<size_t>(reported), NAME_MAX) : NAME_MAX;
  if (path_.name.size() > name_bytes_max) {
    ThrowSystemError(ENAMETOOLONG, "cannot write '" + path_.display_path + "'");
  }
  for (int attempt = 0; attempt < kNameAttemptCount && !fd_; ++attempt) {
    const std::string name = TemporaryName(path_.name, name_bytes_max, RandomLetters());
    // The signal handler knows the name before the file exists, so it never misses the file.
    guard_ = std::make_unique<TemporaryFileGuard>(directory_.get(), name);
    fd_ = Descriptor(::openat(directory_.get(), name.c_str(),
                              O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd_) {
      temporary_ = name;
    } else if (errno != EEXIST) {
      const int error = errno;
      guard_.reset();
      ThrowSystemError(error, "cannot create a file in '" + path_.directory + "'");
    }
    if (!fd_) {
      guard_.reset();
    }
  }
  if (!fd_) {
    ThrowSystemError(EEXIST, "cannot create a file in '" + path_.directory + "'");
  }
  reserves_ = HasCheapFallocate(fd_.get());
}

void Destination::OpenDevice() {
  for (;;) {
    fd_ = Descriptor(::open(path_.display_path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (fd_) {
      return;
    }
    if (errno != EINTR) {
      ThrowSystemError(errno, "cannot write '" + path_.display_path + "'");
    }
    ThrowIfInterrupted();
  }
}

void Destination::Reserve(uint64_t offset, uint64_t size) {
  if (!reserves_) {
    return;
  }
  int result;
  do {
    ThrowIfInterrupted();
    result = ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                         static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result == 0) {
    return;
  }
  if (errno == ENOSPC || errno == EDQUOT) {
    ThrowSystemError(errno, "cannot write '" + path_.display_path + "': reserving " +
                                FormatBytes(size) + " at byte " + std::to_string(offset));
  }
  reserves_ = false;  // reserving is optional: the writes report real errors
}

void Destination::CopyMetadata(const Source& source) {
  if (!S_ISREG(source.status().st_mode) || !source.positioned()) {
    // The source has no metadata: use the mode of a new file.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(fd_.get(), 0666 & ~mask) != 0 && !IsMetadataUnsupported(errno)) {
      ThrowSystemError(errno, "cannot set the mode of '" + path_.display_path + "'");
    }
    return;
  }
  const struct stat& from = source.status();
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0) {
    ThrowSystemError(errno, "cannot write '" + path_.display_path + "'");
  }
  mode_t mode = from.st_mode & 07777;
  if (now.st_uid != from.st_uid || now.st_gid != from.st_gid) {
    // If the owner cannot be set, set-user-ID would grant the rights of a different user.
    if (::fchown(fd_.get(), from.st_uid, from.st_gid) != 0) {
      mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
    }
  }
  if (::fchmod(fd_.get(), mode) != 0 && !IsMetadataUnsupported(errno)) {
    ThrowSystemError(errno, "cannot set the mode of '" + path_.display_path + "'");
  }
  const struct timespec times[2] = {from.st_atim, from.st_mtim};
  if (::futimens(fd_.get(), times) != 0 && !IsMetadataUnsupported(errno)) {
    ThrowSystemError(errno, "cannot set the times of '" + path_.display_path + "'");
  }
}

void Destination::SyncTemporary() {
  if (::fsync(fd_.get()) != 0) {
    ThrowSystemError(errno, "cannot write '" + path_.display_path + "' to the storage");
  }
}

void Destination::RenameTemporary() {
  const int directory = directory_.get();
  const char* from = temporary_.c_str();
  const char* to = path_.name.c_str();
  int result = ::renameat2(directory, from, directory, to, path_.replace ? 0 : RENAME_NOREPLACE);
  if (result != 0 && errno == EINVAL && !path_.replace) {
    // The filesystem does not support the flag (rename(2)). linkat(2) never replaces a file.
    result = ::linkat(directory, from, directory, to, 0);
    if (result == 0) {
      ::unlinkat(directory, from, 0);
    }
  }
  if (result != 0 && errno == EEXIST) {
    ThrowExists(path_.display_path);
  }
  if (result != 0) {
    ThrowSystemError(errno, "cannot rename the temporary file to '" + path_.display_path + "'");
  }
}

void Destination::Commit(const Source& source, uint64_t size, bool sync) {
  if (!path_.is_file) {
    const int error = fd_.Close();
    if (error != 0) {
      ThrowSystemError(error, "cannot write '" + path_.display_path + "'");
    }
    return;
  }
  // Sets the length: a hole at the end was not written, and reserved space may exceed the size.
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
    ThrowSystemError(errno, "cannot write '" + path_.display_path + "'");
  }
  CopyMetadata(source);
  if (sync) {
    SyncTemporary();
  }
  const int error = fd_.Close();
  if (error != 0) {
    ThrowSystemError(error, "cannot write '" + path_.display_path + "'");
  }
  ThrowIfInterrupted();
  RenameTemporary();
  temporary_.clear();
  guard_.reset();
  if (sync) {
    // The new name is on the storage only after fsync(2) of the directory.
    const Descriptor directory(::openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0) {
      ThrowSystemError(errno, "'" + path_.display_path +
                                  "' is complete, but its name may not be on "
                                  "the storage yet");
    }
  }
}

void Destination::Remove() {
  if (!temporary_.empty()) {
    ::unlinkat(directory_.get(), temporary_.c_str(), 0);
    temporary_.clear();
    guard_.reset();
  }
}

}  // namespace moor
