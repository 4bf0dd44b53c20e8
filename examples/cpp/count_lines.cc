// count_lines FILE: counts lines as `wc -l` does, with eight reads in flight through registered
// memory. It wraps the C interface in C++: owners destroy objects, errors are exceptions.
#include <fcntl.h>
#include <mooring/mooring.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr uint64_t kChunkBytes = 1 << 20;
constexpr uint32_t kChunkCount = 8;

// Owns an object of the library, and destroys it at the end of its scope.
template <typename T, void (*Destroy)(T*) noexcept>
struct Destroyer {
  void operator()(T* object) const { Destroy(object); }
};
template <typename T, void (*Destroy)(T*) noexcept>
using Owner = std::unique_ptr<T, Destroyer<T, Destroy>>;

using Slab = Owner<mooring_slab_t, mooring_slab_destroy>;
using Ring = Owner<mooring_ring_t, mooring_ring_destroy>;
using Registration = Owner<mooring_registration_t, mooring_registration_destroy>;

// Throws the message and the remedy of a failed call.
void Check(mooring_error_t* error) {
  if (error == nullptr) return;
  const std::string text =
      std::string(mooring_error_message(error)) + "\n" + mooring_error_remedy(error);
  mooring_error_destroy(error);
  throw std::runtime_error(text);
}

Slab MakeSlab() {
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = kChunkBytes;
  options.buffer_count = kChunkCount;
  mooring_slab_t* slab = nullptr;
  Check(mooring_slab_create(&options, &slab));
  return Slab(slab);
}

Ring MakeRing() {
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.flags = MOORING_RING_OWNER_THREAD;  // one thread makes all calls
  mooring_ring_t* ring = nullptr;
  Check(mooring_ring_create(&options, &ring));
  return Ring(ring);
}

Registration Register(const Ring& ring, const Slab& slab) {
  mooring_registration_options_t options = MOORING_REGISTRATION_OPTIONS_INIT;
  mooring_registration_t* registration = nullptr;
  Check(mooring_registration_create(ring.get(), slab.get(), &options, &registration));
  return Registration(registration);
}

class LineCounter {
 public:
  LineCounter(int fd, uint64_t size) : fd_(fd), size_(size) {}

  uint64_t Count() {
    for (uint64_t chunk = 0; chunk < kChunkCount; ++chunk) {
      Check(mooring_slab_acquire(slab_.get(), 1, &leases_[chunk]));
      ReadNext(chunk);
    }
    uint64_t lines = 0;
    for (uint64_t in_flight = Submit(0); in_flight > 0;) {
      mooring_completion_t done;
      uint32_t count = 0;
      Check(mooring_ring_reap(ring_.get(), &done, 1, 1, INT64_MAX, &count));
      lines += Take(done);
      in_flight = Submit(in_flight - count);
    }
    return lines;
  }

 private:
  // Queues a read of the next part of the file into a chunk, if there is one.
  void ReadNext(uint64_t chunk) {
    const uint64_t bytes = std::min(kChunkBytes, size_ - next_offset_);
    if (bytes > 0) Read(chunk, next_offset_, bytes);
    next_offset_ += bytes;
  }

  void Read(uint64_t chunk, uint64_t file_offset, uint64_t bytes) {
    mooring_op_t& read = reads_[chunk];
    read = {};
    read.opcode = MOORING_OPCODE_READ;
    read.fd = fd_;
    read.file_offset = file_offset;
    read.registration = registration_.get();
    read.lease_first_index = leases_[chunk].first_index;
    read.lease_generation = leases_[chunk].generation;
    read.size = bytes;
    read.user_data = chunk;
    queue_.push_back(read);
  }

  // Submits the queued reads. Takes and returns the number of reads in flight.
  uint64_t Submit(uint64_t in_flight) {
    uint32_t accepted = 0;
    Check(mooring_ring_submit(ring_.get(), queue_.data(), static_cast<uint32_t>(queue_.size()),
                              &accepted));
    queue_.erase(queue_.begin(), queue_.begin() + accepted);
    return in_flight + accepted;
  }

  // Counts the lines of one completed read, and queues the next. After a short read, which read(2)
  // may also give, it queues a read of the rest.
  uint64_t Take(const mooring_completion_t& done) {
    if (done.result < 0) {
      throw std::runtime_error(std::strerror(static_cast<int>(-done.result)));
    }
    const uint64_t chunk = done.user_data;
    const auto bytes = static_cast<uint64_t>(done.result);
    const auto* data = static_cast<const char*>(mooring_slab_data(slab_.get(), leases_[chunk]));
    const auto lines = std::count(data, data + bytes, '\n');
    const mooring_op_t read = reads_[chunk];
    if (bytes > 0 && bytes < read.size) {
      Read(chunk, read.file_offset + bytes, read.size - bytes);
    } else {
      ReadNext(chunk);
    }
    return static_cast<uint64_t>(lines);
  }

  const int fd_;
  const uint64_t size_;
  const Slab slab_ = MakeSlab();
  const Ring ring_ = MakeRing();
  const Registration registration_ = Register(ring_, slab_);
  std::array<mooring_lease_t, kChunkCount> leases_{};
  std::array<mooring_op_t, kChunkCount> reads_{};  // by chunk, as last queued
  std::vector<mooring_op_t> queue_;
  uint64_t next_offset_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: count_lines FILE\n");
    return 2;
  }
  const int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) {
    std::perror(argv[1]);
    return 1;
  }
  try {
    LineCounter counter(fd, static_cast<uint64_t>(status.st_size));
    std::printf("%llu\n", static_cast<unsigned long long>(counter.Count()));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  close(fd);
  return 0;
}
