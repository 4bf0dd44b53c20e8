// sample_file.h: a file of 1,024 blocks of 4 KiB in the page cache, every eight bytes of it
// different, and the order in which every benchmark reads its blocks.
//
// In that order a buffer gets another block in each batch, so that bytes left from an earlier batch
// never pass for those of this one.
//
// Threading: any, after the first Get.
#ifndef MOORING_BENCHMARKS_MICRO_SAMPLE_FILE_H_
#define MOORING_BENCHMARKS_MICRO_SAMPLE_FILE_H_

#include <cstdint>
#include <cstring>

namespace mooring::benchmarks {

inline constexpr uint64_t kBlockBytes = 4096;
inline constexpr uint64_t kBlockCount = 1024;

class SampleFile {
 public:
  // Made at the first call, in TEST_TMPDIR, else TMPDIR, else /var/tmp: /tmp is memory on some
  // machines. It has no name, so nothing of it stays. Aborts where the system refuses it.
  static const SampleFile& Get();

  int fd() const { return fd_; }

  // The block that operation `number` reads: all of them in turn, by a stride that defeats
  // guessing.
  static uint64_t BlockOf(uint64_t number) { return number * 389 % kBlockCount; }

  static uint64_t Word(uint64_t block, uint64_t index) {
    return (block * (kBlockBytes / 8) + index + 1) * 0x9e3779b97f4a7c15;
  }

  // One word tells a block from all others: cheap enough to look at within a measurement.
  static bool StartsBlock(uint64_t block, const void* data) {
    uint64_t word;
    std::memcpy(&word, data, sizeof word);
    return word == Word(block, 0);
  }

  // Looks at every byte.
  static bool IsBlock(uint64_t block, const void* data);

 private:
  explicit SampleFile(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace mooring::benchmarks

#endif  // MOORING_BENCHMARKS_MICRO_SAMPLE_FILE_H_
