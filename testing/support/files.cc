#include "testing/support/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace mooring::conformance {
namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "the test cannot continue: %s: %s\n", what, std::strerror(errno));
  std::abort();
}

std::string TempRoot() {
  for (const char* name : {"TEST_TMPDIR", "TMPDIR"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "/tmp";
}

void WriteAll(int fd, const void* data, uint64_t size) {
  const auto* bytes = static_cast<const std::byte*>(data);
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    Require(written > 0, "write");
    bytes += written;
    size -= static_cast<uint64_t>(written);
  }
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = other.Release();
  }
  return *this;
}

void Fd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

TempDir::TempDir() : path_(TempRoot() + "/mooring_XXXXXX") {
  Require(mkdtemp(path_.data()) != nullptr, "mkdtemp");
}

TempDir::~TempDir() {
  std::error_code ignored;  // a directory that is left behind does not fail the test
  std::filesystem::remove_all(path_, ignored);
}

Fd TempDir::Create(const std::string& name, std::span<const std::byte> bytes) const {
  Fd fd(open(Path(name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  Require(fd.get() >= 0, "open");
  WriteAll(fd.get(), bytes.data(), bytes.size());
  Require(lseek(fd.get(), 0, SEEK_SET) == 0, "lseek");
  return fd;
}

Fd TempDir::CreateFifo(const std::string& name) const {
  Require(mkfifo(Path(name).c_str(), 0600) == 0, "mkfifo");
  // O_RDWR on a FIFO opens it on Linux without waiting for the other end (fifo(7)).
  Fd fd(open(Path(name).c_str(), O_RDWR | O_CLOEXEC));
  Require(fd.get() >= 0, "open");
  return fd;
}

Pipe::Pipe() {
  int ends[2];
  Require(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  read_end_ = Fd(ends[0]);
  write_end_ = Fd(ends[1]);
}

void Pipe::Write(const void* data, uint64_t size) const { WriteAll(write_fd(), data, size); }

std::vector<std::byte> Pipe::Drain() const {
  const int flags = fcntl(read_fd(), F_GETFL);
  Require(flags >= 0 && fcntl(read_fd(), F_SETFL, flags | O_NONBLOCK) == 0, "fcntl");
  std::vector<std::byte> bytes;
  std::byte chunk[4096];
  for (;;) {
    const ssize_t count = read(read_fd(), chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    bytes.insert(bytes.end(), chunk, chunk + count);
  }
  Require(fcntl(read_fd(), F_SETFL, flags) == 0, "fcntl");
  return bytes;
}

std::vector<std::byte> Contents(int fd) {
  std::vector<std::byte> bytes(FileSize(fd));
  uint64_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count =
        pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    Require(count > 0, "pread");
    done += static_cast<uint64_t>(count);
  }
  return bytes;
}

uint64_t FileSize(int fd) {
  struct stat status;
  Require(fstat(fd, &status) == 0, "fstat");
  return static_cast<uint64_t>(status.st_size);
}

}  // namespace mooring::conformance
