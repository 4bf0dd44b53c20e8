// mapped_memory.h: memory for slabs to adopt, anonymous or of a file.
//
//   MappedMemory memory(1 << 20);
//   MappedMemory shared(1 << 20, {.fd = file.get()});
//
// Aborts the program when a system call fails.
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_MAPPED_MEMORY_H_
#define MOORING_TESTING_SUPPORT_MAPPED_MEMORY_H_

#include <cstddef>
#include <cstdint>

namespace mooring::conformance {

class MappedMemory {
 public:
  struct Options {
    int fd = -1;             // MAP_SHARED of this file; -1 = anonymous and private
    bool read_only = false;  // zeros, which the kernel cannot write to either
  };

  explicit MappedMemory(uint64_t size) : MappedMemory(size, Options{}) {}
  MappedMemory(uint64_t size, const Options& options);
  ~MappedMemory();
  MappedMemory(const MappedMemory&) = delete;
  MappedMemory& operator=(const MappedMemory&) = delete;

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  const uint64_t size_;
};

// Replaces the pages at [data, data + size) with the pages of `fd`, shared. False when a system
// call fails.
bool MapOver(void* data, uint64_t size, int fd);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_MAPPED_MEMORY_H_
