// mapped_memory.h: memory of the test's own, for slabs to adopt: anonymous, or a file's.
//
//   MappedMemory memory(1 << 20);
//   MappedMemory shared(1 << 20, {.fd = file.get()});
//
// Aborts the program when the system refuses.
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
    bool read_only = false;  // zeros, and the kernel cannot write them either
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

// Puts the pages of `fd`, shared, in the place of those at [data, data + size). False if the system
// refuses.
bool MapOver(void* data, uint64_t size, int fd);

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_MAPPED_MEMORY_H_
