#include "benchmarks/micro/sample_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace mooring::benchmarks {
namespace {

std::string Folder() {
  for (const char* name : {"TEST_TMPDIR", "TMPDIR"}) {
    if (const char* folder = std::getenv(name)) return folder;
  }
  return "/var/tmp";
}

[[noreturn]] void Die(const std::string& what) {
  std::perror(what.c_str());
  std::abort();
}

int MakeFile() {
  std::string path = Folder() + "/mooring_sample.XXXXXX";
  const int fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) Die(path);
  unlink(path.c_str());
  std::vector<uint64_t> words(kBlockBytes / 8);
  for (uint64_t block = 0; block < kBlockCount; ++block) {
    for (uint64_t i = 0; i < words.size(); ++i) words[i] = SampleFile::Word(block, i);
    if (write(fd, words.data(), kBlockBytes) != static_cast<ssize_t>(kBlockBytes)) Die(path);
  }
  // Writes it back now, so that writeback does not disturb benchmarks. It stays in the page cache.
  if (fsync(fd) != 0) Die(path);
  return fd;
}

}  // namespace

const SampleFile& SampleFile::Get() {
  static const SampleFile file(MakeFile());
  return file;
}

bool SampleFile::IsBlock(uint64_t block, const void* data) {
  const auto* bytes = static_cast<const char*>(data);
  for (uint64_t i = 0; i < kBlockBytes / 8; ++i) {
    uint64_t word;
    std::memcpy(&word, bytes + i * 8, sizeof word);
    if (word != Word(block, i)) return false;
  }
  return true;
}

}  // namespace mooring::benchmarks
