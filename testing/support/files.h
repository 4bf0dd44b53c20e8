// files.h: descriptors, files in a temporary directory, and pipes.
//
//   TempDir dir;
//   Fd file = dir.Create("data", Pattern(1, 0, 4096));
//   Pipe pipe;
//   pipe.Write("abc", 3);
//
// All of them abort the program when a system call fails: a test cannot continue without them.
//
// Threading: one thread per object.
#ifndef MOORING_TESTING_SUPPORT_FILES_H_
#define MOORING_TESTING_SUPPORT_FILES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace mooring::conformance {

// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;

  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }
  void Close();

 private:
  int fd_ = -1;
};

// A new directory under TEST_TMPDIR (else TMPDIR, else /tmp). Its destructor removes it and its
// contents.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

  // A file with these bytes, open for reading and writing at position 0.
  Fd Create(const std::string& name, std::span<const std::byte> bytes = {}) const;
  // A named pipe, open for reading and writing, so both ends are always open.
  Fd CreateFifo(const std::string& name) const;

 private:
  std::string path_;
};

class Pipe {
 public:
  Pipe();

  int read_fd() const { return read_end_.get(); }
  int write_fd() const { return write_end_.get(); }
  void CloseReadEnd() { read_end_.Close(); }
  void CloseWriteEnd() { write_end_.Close(); }

  // Writes all of it. The pipe's buffer of 64 KiB must have room.
  void Write(const void* data, uint64_t size) const;
  // Returns the bytes in the pipe, without waiting.
  std::vector<std::byte> Drain() const;

 private:
  Fd read_end_;
  Fd write_end_;
};

// All bytes of the file from its start, whatever its position.
std::vector<std::byte> Contents(int fd);
uint64_t FileSize(int fd);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_FILES_H_
