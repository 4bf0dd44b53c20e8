// Files: copied through fixed buffers, opened and closed by the ring, used as fixed files.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "testing/faults/scenario.h"
#include "testing/support/files.h"
#include "testing/support/pattern.h"

namespace mooring::faults {
namespace {

using namespace mooring::conformance;  // NOLINT: operations, files and patterns

using faults::Registration;  // not those of testing/support/handles.h
using faults::Ring;
using faults::Slab;

constexpr uint64_t kSeed = 41;
constexpr uint64_t kBufferBytes = Trial::kBufferBytes;
// The last read is short.
constexpr uint64_t kFileBytes = 3 * kBufferBytes + 1000;

const TempDir& Folder() {
  static const TempDir folder;
  return folder;
}

// A file with the bytes of the pattern, created once.
int Source() {
  static const Fd file = Folder().Create("source", Pattern(kSeed, 0, kFileBytes));
  return file.get();
}

struct Setting {
  Slab slab;
  Ring ring;
  Registration registration;

  explicit Setting(Trial& trial) : Setting(trial, trial.RingOptions()) {}
  Setting(Trial& trial, const mooring_ring_options_t& options) : slab(trial.CreateSlab()) {
    if (slab != nullptr) ring = trial.CreateRing(options);
    if (ring != nullptr) registration = trial.Register(ring, slab);
  }
  bool complete() const { return registration != nullptr; }
};

bool Holds(const void* data, uint64_t offset, int64_t size) {
  return static_cast<bool>(HasPattern(data, kSeed, offset, static_cast<uint64_t>(size)));
}

bool FileHolds(int fd, uint64_t offset, int64_t size) {
  const std::vector<std::byte> bytes = Contents(fd);
  return bytes.size() >= offset + static_cast<uint64_t>(size) &&
         Holds(bytes.data() + offset, offset, size);
}

// Every byte that a completion reports has arrived, even if other operations failed.
void Copy(Trial& trial) {
  const Fd target = Folder().Create("target");
  const Setting setting(trial);
  if (!setting.complete()) return;
  mooring_lease_t leases[Trial::kBufferCount];
  std::vector<mooring_op_t> reads;
  for (uint64_t i = 0; i < Trial::kBufferCount; ++i) {
    leases[i] = trial.Acquire(setting.slab);
    reads.push_back(Read(Source(), i * kBufferBytes, InLease(setting.registration.get(), leases[i]),
                         kBufferBytes));
  }
  const Results results = trial.Perform(setting.ring, reads);
  std::vector<mooring_op_t> writes;
  std::vector<uint64_t> offsets;
  for (uint64_t i = 0; i < Trial::kBufferCount; ++i) {
    const uint64_t offset = i * kBufferBytes;
    trial.ExpectDone("a read", results[i],
                     static_cast<int64_t>(std::min(kFileBytes - offset, kBufferBytes)));
    if (!results[i].ok() || results[i].result() == 0) continue;
    trial.Expect(
        Holds(mooring_slab_data(setting.slab.get(), leases[i]), offset, results[i].result()),
        "the bytes read are those of the file");
    writes.push_back(Write(target.get(), offset, InLease(setting.registration.get(), leases[i]),
                           static_cast<uint64_t>(results[i].result())));
    offsets.push_back(offset);
  }
  const Results written = trial.Perform(setting.ring, writes);
  for (const mooring_lease_t& lease : leases) trial.Release(setting.slab, lease);
  for (size_t i = 0; i < written.size(); ++i) {
    trial.ExpectDone("a write", written[i], static_cast<int64_t>(writes[i].size));
    trial.Expect(!written[i].ok() || FileHolds(target.get(), offsets[i], written[i].result()),
                 "the bytes written are in the file");
  }
  trial.ExpectIdle(setting.ring);
  trial.ExpectNoLeases(setting.slab);
}

void CloseIfOpen(int fd) {
  if (fcntl(fd, F_GETFD) >= 0) close(fd);
}

void Files(Trial& trial) {
  const std::string path = Folder().Path("made");
  unlink(path.c_str());
  const Setting setting(trial);
  if (!setting.complete()) return;
  const Results opened = trial.Perform(
      setting.ring, {OpenAt(AT_FDCWD, path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600),
                     OpenAt(AT_FDCWD, Folder().path().c_str(), O_RDONLY | O_CLOEXEC, 0)});
  if (opened[1].ok()) {
    const int folder = static_cast<int>(opened[1].result());
    struct statx status = {};
    const Results looked =
        trial.Perform(setting.ring, {Statx(folder, "source", 0, STATX_SIZE, &status)});
    trial.ExpectDone("statx", looked[0], 0);
    trial.Expect(!looked[0].ok() || status.stx_size == kFileBytes, "statx reports the size");
    trial.ExpectDone("close", trial.Perform(setting.ring, {Close(folder)})[0], 0);
    CloseIfOpen(folder);
  }
  if (!opened[0].ok()) return;
  const int fd = static_cast<int>(opened[0].result());
  const Results placed = trial.Perform(setting.ring, {Fallocate(fd, 0, kBufferBytes)});
  trial.ExpectDone("fallocate", placed[0], 0);
  trial.Expect(!placed[0].ok() || FileSize(fd) == kBufferBytes, "fallocate extends the file");
  FillPattern(Trial::Data(setting.slab), kSeed, 0, kBufferBytes);
  const Results written = trial.Perform(
      setting.ring, {Write(fd, 0, InSlab(setting.registration.get(), 0), kBufferBytes)});
  trial.ExpectDone("a write", written[0], kBufferBytes);
  trial.Expect(!written[0].ok() || FileHolds(fd, 0, written[0].result()),
               "the bytes written are in the file");
  trial.ExpectDone("fsync", trial.Perform(setting.ring, {Fsync(fd)})[0], 0);
  trial.ExpectDone("close", trial.Perform(setting.ring, {Close(fd)})[0], 0);
  CloseIfOpen(fd);
  trial.ExpectIdle(setting.ring);
}

void FixedFiles(Trial& trial) {
  mooring_ring_options_t options = trial.RingOptions();
  options.fixed_file_count = 2;
  const Setting setting(trial, options);
  if (!setting.complete()) return;
  Fd file(dup(Source()));
  const auto set = [&](uint32_t index, int fd) {
    return trial.Ok("ring_set_file",
                    [&] { return mooring_ring_set_file(setting.ring.get(), index, fd); });
  };
  if (!set(0, file.get())) return;
  file.Close();
  const auto in_slot = [](mooring_op_t operation) {
    return WithFlags(operation, MOORING_OPERATION_FIXED_FILE);
  };
  const Results results = trial.Perform(
      setting.ring, {in_slot(Read(0, 0, InSlab(setting.registration.get(), 0), kBufferBytes))});
  trial.ExpectDone("a read", results[0], kBufferBytes);
  trial.Expect(!results[0].ok() || Holds(Trial::Data(setting.slab), 0, results[0].result()),
               "the bytes read are those of the file");
  if (set(1, Source())) set(1, -1);
  trial.Perform(setting.ring, {in_slot(Close(0))});
  trial.ExpectIdle(setting.ring);
}

// No operation of a chain succeeds after one that failed.
void Chain(Trial& trial) {
  const Fd target = Folder().Create("target");
  const Setting setting(trial);
  if (!setting.complete()) return;
  FillPattern(Trial::Data(setting.slab), kSeed, 0, kBufferBytes);
  const auto at = [&](uint64_t offset) { return InSlab(setting.registration.get(), offset); };
  const Results results = trial.Perform(
      setting.ring, {WithFlags(Write(target.get(), 0, at(0), kBufferBytes), MOORING_OPERATION_LINK),
                     WithFlags(Nop(), MOORING_OPERATION_LINK),
                     Read(target.get(), 0, at(kBufferBytes), kBufferBytes),
                     WithFlags(Nop(), MOORING_OPERATION_DRAIN), Nop()});
  const int64_t whole[] = {kBufferBytes, 0, kBufferBytes};
  bool broken = false;
  for (int i = 0; i < 3; ++i) {
    if (!results[i].completed) break;
    if (broken)
      trial.Expect(results[i].result() == -ECANCELED, "a broken chain cancels later operations");
    if (!broken) trial.ExpectDone("a link", results[i], whole[i]);
    broken = broken || results[i].result() != whole[i];
  }
  trial.Expect(broken || !results[2].ok() ||
                   Holds(Trial::Data(setting.slab, kBufferBytes), 0, results[2].result()),
               "the read ran after the write");
  trial.ExpectDone("a nop", results[4], 0);
  trial.ExpectIdle(setting.ring);
}

// Reads and writes at the file position, and through a pipe.
void Streams(Trial& trial) {
  const Pipe pipe;
  const Fd file = Folder().Create("stream", Pattern(kSeed, 0, kBufferBytes));
  const Setting setting(trial);
  if (!setting.complete()) return;
  constexpr uint64_t kSize = 4096;
  const auto at = [&](uint64_t offset) { return InSlab(setting.registration.get(), offset); };
  const Results read = trial.Perform(setting.ring, {ReadStream(file.get(), at(0), kSize)});
  trial.ExpectDone("a read", read[0], kSize);
  if (!read[0].ok()) return;
  const auto got = static_cast<uint64_t>(read[0].result());
  const Results written = trial.Perform(setting.ring, {WriteStream(pipe.write_fd(), at(0), got)});
  trial.ExpectDone("a write", written[0], read[0].result());
  if (!written[0].ok() || written[0].result() == 0) return;
  const Results received =
      trial.Perform(setting.ring, {ReadStream(pipe.read_fd(), at(kBufferBytes), kSize)});
  trial.ExpectDone("a read", received[0], written[0].result());
  trial.Expect(
      !received[0].ok() || Holds(Trial::Data(setting.slab, kBufferBytes), 0, received[0].result()),
      "the bytes from the pipe are those of the file");
  trial.ExpectIdle(setting.ring);
}

constexpr Scenario kScenarios[] = {
    {"copy", &Copy, kInNamed},
    {"files", &Files, kInBoth},
    {"fixed_files", &FixedFiles, kInBoth | kInSqpoll},
    {"chain", &Chain, kInBoth | kInOwner},
    {"streams", &Streams, kInBoth},
};

}  // namespace

std::span<const Scenario> FileScenarios() { return kScenarios; }

}  // namespace mooring::faults
