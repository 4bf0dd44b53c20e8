#include "testing/support/mapped_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace mooring::conformance {

MappedMemory::MappedMemory(uint64_t size, const Options& options) : size_(size) {
  const int protection = options.read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  const int flags = options.fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  if (options.fd >= 0 && ftruncate(options.fd, static_cast<off_t>(size)) != 0) {
    std::perror("the test cannot continue: ftruncate");
    std::abort();
  }
  void* data = mmap(nullptr, size, protection, flags, options.fd, 0);
  if (data == MAP_FAILED) {
    std::perror("the test cannot continue: mmap");
    std::abort();
  }
  // Where transparent huge pages are always on, this would be a huge page from 6.7 on. The kernel
  // charges a huge page whole even if only a part is pinned, so a small memlock limit would pin
  // none of it.
  if (options.fd < 0) (void)madvise(data, size, MADV_NOHUGEPAGE);
  data_ = static_cast<std::byte*>(data);
}

MappedMemory::~MappedMemory() { munmap(data_, size_); }

bool MapOver(void* data, uint64_t size, int fd) {
  if (ftruncate(fd, static_cast<off_t>(size)) != 0) return false;
  return mmap(data, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == data;
}

}  // namespace mooring::conformance
