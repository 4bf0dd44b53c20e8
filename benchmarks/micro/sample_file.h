// sample_file.h: a file of 1,024 blocks of 4 KiB in the page cache, in which each group of eight
// bytes is different, and the order in which all benchmarks read its blocks.
//
// In that order a buffer gets a different block in each batch, so bytes of an earlier batch never
// pass the check of a later one.
//
// Threading: any thread after the first Get.
#ifndef MOORING_BENCHMARKS_MICRO_SAMPLE_FILE_H_
#define MOORING_BENCHMARKS_MICRO_SAMPLE_FILE_H_

#include <cstdint>
#include <cstring>

namespace mooring::benchmarks {

inline constexpr uint64_t kBlockBytes = 4096;
inline constexpr uint64_t kBlockCount = 1024;

class SampleFile {
 public:
  // Made at the first call, in TEST_TMPDIR, else TMPDIR, else /var/tmp (/tmp is in memory on some
  // machines). The file has no name, so it is deleted at exit. Aborts on failure.
  static const SampleFile& Get();

  int fd() const { return fd_; }

  // The block that operation `number` reads. The stride visits all blocks and defeats prefetching.
  static uint64_t BlockOf(uint64_t number) { return number * 389 % kBlockCount; }

  static uint64_t Word(uint64_t block, uint64_t index) {
    return (block * (kBlockBytes / 8) + index + 1) * 0x9e3779b97f4a7c15;
  }

  // Checks the first word, which differs for each block: cheap enough for the measured loop.
  static bool StartsBlock(uint64_t block, const void* data) {
    uint64_t word;
    std::memcpy(&word, data, sizeof word);
    return word == Word(block, 0);
  }

  // Checks all bytes.
  static bool IsBlock(uint64_t block, const void* data);

 private:
  explicit SampleFile(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace mooring::benchmarks

#endif  // MOORING_BENCHMARKS_MICRO_SAMPLE_FILE_H_
