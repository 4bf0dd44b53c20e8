// Random operation records, submitted to a real ring. Descriptors, addresses and paths are mapped
// onto a few prepared ones, so that no record can reach other resources of the process; all other
// fields are used unchanged. A record is accepted and completes once, or is rejected with an error.
// Closing the ring ends all operations, and nothing leaks.
#include <fcntl.h>
#include <mooring/mooring.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <vector>

#include "testing/fuzz/fuzz_input.h"
#include "testing/fuzz/target.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"
#include "testing/support/operations.h"
#include "testing/support/sockets.h"

namespace mooring::fuzz {
namespace {

using conformance::Fd;

constexpr uint64_t kSlabBytes = 64 * 1024;
constexpr uint64_t kFileBytesMax = 256 * 1024;
constexpr uint32_t kRecordsMax = 24;
// For operations by address; never freed, as an operation that outlives a call is a failure anyway.
std::array<std::byte, 16 * 1024> scratch;

mooring_ring_t* MakeRing(uint8_t choice) {
  constexpr uint32_t kFlags[] = {0, MOORING_RING_OWNER_THREAD, MOORING_RING_SQPOLL, 0};
  mooring_ring_options_t options = MOORING_RING_OPTIONS_INIT;
  options.engine = choice & 1 ? MOORING_ENGINE_THREADS : MOORING_ENGINE_AUTO;
  // SQPOLL costs a busy thread, so it is rare.
  options.flags = choice & 1 ? 0 : kFlags[choice > 240 ? 2 : (choice >> 1) & 1];
  options.submission_count = 8;
  options.in_flight_max = 16;
  options.fixed_file_count = 4;
  options.fixed_buffer_count = 8;
  options.worker_count = 2;
  options.sqpoll_idle_ms = 1;
  mooring_ring_t* ring = nullptr;
  CLAIM(CodeOf(mooring_ring_create(&options, &ring)) == MOORING_CODE_OK);
  return ring;
}

// The resources that records may name.
class Stage {
 public:
  explicit Stage(uint8_t choice);

  mooring_ring_t* ring() const { return ring_.get(); }
  mooring_op_t Confine(mooring_op_t operation);
  void End();
  void OnCompletion(const mooring_completion_t& completion);

  std::multiset<uint64_t> in_flight;

 private:
  int Descriptor(uint32_t choice) const;
  uint64_t ScratchAddress(uint64_t choice, uint64_t size) const;
  void ConfineMemory(mooring_op_t& operation) const;
  void ConfinePaths(mooring_op_t& operation) const;
  void CheckStats() const;

  Fd file_{memfd_create("mooring_fuzz", MFD_CLOEXEC)};
  conformance::Pipe pipe_;
  conformance::SocketPair pair_ = conformance::UnixPair();
  // Declared after the descriptors, which it uses until it is destroyed.
  conformance::Slab slab_;
  conformance::Ring ring_;
  conformance::Ring other_ring_;
  conformance::Registration registration_;
  conformance::Registration foreign_;
  mooring_lease_t lease_ = {};
  uint64_t completed_ = 0;
};

Stage::Stage(uint8_t choice) {
  CLAIM(ftruncate(file_.get(), 8192) == 0);
  mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
  options.buffer_bytes = 4096;
  options.buffer_count = kSlabBytes / 4096;
  mooring_slab_t* slab = nullptr;
  CLAIM(CodeOf(mooring_slab_create(&options, &slab)) == MOORING_CODE_OK);
  slab_.reset(slab);
  ring_.reset(MakeRing(choice));
  mooring_registration_t* registration = nullptr;
  CLAIM(CodeOf(mooring_registration_create(ring(), slab, nullptr, &registration)) ==
        MOORING_CODE_OK);
  registration_.reset(registration);
  if (choice % 5 == 0) {
    other_ring_.reset(MakeRing(choice));
    CLAIM(CodeOf(mooring_registration_create(other_ring_.get(), slab, nullptr, &registration)) ==
          MOORING_CODE_OK);
    foreign_.reset(registration);
  }
  CLAIM(CodeOf(mooring_slab_acquire(slab, 3, &lease_)) == MOORING_CODE_OK);
  CLAIM(CodeOf(mooring_ring_set_file(ring(), 0, file_.get())) == MOORING_CODE_OK);
  CLAIM(CodeOf(mooring_ring_set_file(ring(), 1, pipe_.read_fd())) == MOORING_CODE_OK);
}

int Stage::Descriptor(uint32_t choice) const {
  const int fds[] = {file_.get(),     pipe_.read_fd(),   pipe_.write_fd(),
                     pair_.one.get(), pair_.other.get(), -1,
                     INT32_MAX,       AT_FDCWD};
  return fds[choice % std::size(fds)];
}

// An address in the scratch memory with room for `size`, or an invalid one.
uint64_t Stage::ScratchAddress(uint64_t choice, uint64_t size) const {
  if (choice % 8 == 7) return 0;
  return reinterpret_cast<uintptr_t>(scratch.data()) + choice % (scratch.size() - size);
}

void Stage::ConfineMemory(mooring_op_t& operation) const {
  const auto choice = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(operation.registration));
  mooring_registration_t* const registrations[] = {nullptr, registration_.get(),
                                                   registration_.get(), foreign_.get()};
  operation.registration = registrations[choice % 4];
  if (operation.lease_generation % 3 == 1) {
    operation.lease_first_index = lease_.first_index;
    operation.lease_generation = lease_.generation;
  }
  if (operation.registration != nullptr) return;
  if (operation.size <= MOORING_OPERATION_BYTES_MAX) operation.size %= 4096;
  operation.offset = ScratchAddress(operation.offset, 4096);
}

void Stage::ConfinePaths(mooring_op_t& operation) const {
  constexpr const char* kPaths[] = {"/dev/null", ".", "", "/nowhere/to/be/found", nullptr};
  operation.offset = reinterpret_cast<uintptr_t>(kPaths[operation.offset % std::size(kPaths)]);
  if (operation.opcode == MOORING_OPCODE_STATX) {
    operation.file_offset = ScratchAddress(operation.file_offset, sizeof(struct statx));
    return;
  }
  // No file is created or truncated, and open does not wait.
  constexpr uint64_t kFlags = O_RDWR | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
  operation.parameter &= kFlags | uint64_t{UINT32_MAX} << 32;
}

mooring_op_t Stage::Confine(mooring_op_t operation) {
  const bool is_fixed = (operation.flags & MOORING_OPERATION_FIXED_FILE) != 0;
  if (!is_fixed) operation.fd = Descriptor(static_cast<uint32_t>(operation.fd));
  switch (operation.opcode) {
    case MOORING_OPCODE_READ:
    case MOORING_OPCODE_WRITE:
    case MOORING_OPCODE_SEND:
    case MOORING_OPCODE_RECV:
      if (operation.file_offset != MOORING_FILE_OFFSET_CURRENT)
        operation.file_offset %= kFileBytesMax;
      ConfineMemory(operation);
      break;
    case MOORING_OPCODE_FALLOCATE:
      operation.file_offset %= kFileBytesMax;
      operation.size %= kFileBytesMax;
      break;
    case MOORING_OPCODE_OPENAT:
    case MOORING_OPCODE_STATX:
      ConfinePaths(operation);
      break;
    case MOORING_OPCODE_ACCEPT:
      operation.offset = ScratchAddress(operation.offset, 256);
      operation.file_offset = ScratchAddress(operation.file_offset, 256);
      break;
    case MOORING_OPCODE_CONNECT:
      operation.offset = ScratchAddress(operation.offset, 256);
      break;
    case MOORING_OPCODE_CLOSE:
      // A descriptor is closed only once, because its number is reused afterwards.
      if (!is_fixed) operation.fd = -1;
      break;
    default:
      break;
  }
  const bool has_memory = operation.registration == registration_.get() ||
                          (foreign_ != nullptr && operation.registration == foreign_.get());
  if (!has_memory) operation.registration = nullptr;
  return operation;
}

// Closes descriptors that operations have opened.
void Stage::OnCompletion(const mooring_completion_t& completion) {
  const auto found = in_flight.find(completion.user_data);
  CLAIM(found != in_flight.end());
  in_flight.erase(found);
  ++completed_;
  CLAIM(completion.path <= MOORING_PATH_COPY);
  CLAIM(completion.result >= -4095);
  const auto opcode = static_cast<mooring_opcode_t>(completion.user_data);
  const bool makes = opcode == MOORING_OPCODE_OPENAT || opcode == MOORING_OPCODE_ACCEPT;
  if (makes && completion.result >= 0) close(static_cast<int>(completion.result));
}

void Stage::CheckStats() const {
  mooring_ring_stats_t stats{.struct_size = sizeof(stats)};
  CLAIM(CodeOf(mooring_ring_get_stats(ring(), &stats)) == MOORING_CODE_OK);
  CLAIM(stats.submitted == completed_);
  CLAIM(stats.completed == completed_);
  CLAIM(stats.in_flight == 0);
}

void Stage::End() {
  CLAIM(CodeOf(mooring_ring_close(ring(), conformance::kPatienceNs)) == MOORING_CODE_OK);
  while (!in_flight.empty()) {
    mooring_completion_t completions[8];
    uint32_t count = 0;
    CLAIM(CodeOf(mooring_ring_reap(ring(), completions, 8, 0, 0, &count)) == MOORING_CODE_OK);
    CLAIM(count > 0);
    std::for_each_n(completions, count, [&](const auto& one) { OnCompletion(one); });
  }
  CheckStats();
  registration_.reset();
  foreign_.reset();
  CLAIM(CodeOf(mooring_slab_release(slab_.get(), lease_)) == MOORING_CODE_OK);
  ring_.reset();
  other_ring_.reset();
  CLAIM(CodeOf(mooring_slab_close(slab_.get(), conformance::kPatienceNs)) == MOORING_CODE_OK);
  mooring_slab_info_t info{.struct_size = sizeof(info)};
  CLAIM(CodeOf(mooring_slab_get_info(slab_.get(), &info)) == MOORING_CODE_OK);
  CLAIM(info.leased_count == 0 && info.held_count == 0);
}

void SubmitSome(FuzzInput& input, Stage& stage) {
  std::vector<mooring_op_t> operations;
  for (uint32_t left = 1 + input.Take<uint8_t>() % 6; left > 0; --left) {
    mooring_op_t operation = stage.Confine(input.Take<mooring_op_t>());
    // The opcode, so that a completion identifies its opcode; the other bits are from the input.
    operation.user_data = (operation.user_data & ~uint64_t{UINT16_MAX}) | operation.opcode;
    operations.push_back(operation);
  }
  const auto reaps = input.Take<uint8_t>();
  for (const mooring_op_t& operation : operations) stage.in_flight.insert(operation.user_data);
  uint32_t accepted = 0;
  uint32_t count = 0;
  mooring_completion_t completions[4];
  const auto offered = static_cast<uint32_t>(operations.size());
  mooring_code_t code;
  if (reaps % 2 == 0) {
    code = CodeOf(mooring_ring_submit(stage.ring(), operations.data(), offered, &accepted));
  } else {
    code = CodeOf(mooring_ring_submit_and_reap(stage.ring(), operations.data(), offered, &accepted,
                                               completions, 4, reaps % 3, 100'000, &count));
  }
  CLAIM(accepted <= offered);
  CLAIM(code == MOORING_CODE_OK || accepted < offered);
  for (uint32_t i = accepted; i < offered; ++i) {
    stage.in_flight.erase(stage.in_flight.find(operations[i].user_data));
  }
  std::for_each_n(completions, count, [&](const auto& one) { stage.OnCompletion(one); });
  if (reaps % 4 == 2) {
    CLAIM(CodeOf(mooring_ring_cancel(stage.ring(), operations[0].user_data, &count)) !=
          MOORING_CODE_INVALID_ARGUMENT);
  }
}

}  // namespace

void RunOnInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  Stage stage(input.Take<uint8_t>());
  for (uint32_t records = 0; input.left() > 0 && records < kRecordsMax; records += 6) {
    SubmitSome(input, stage);
  }
  stage.End();
}

std::vector<std::vector<uint8_t>> Corpus() {
  std::vector<std::vector<uint8_t>> corpus;
  for (uint8_t choice = 0; choice < 8; ++choice) {
    for (mooring_opcode_t first = 0; first <= MOORING_OPCODE_POLL; first += 5) {
      std::vector<uint8_t> bytes = {choice, 4};
      for (mooring_opcode_t opcode = first; opcode < first + 5; ++opcode) {
        mooring_op_t operation = conformance::Nop();
        operation.opcode = opcode;
        operation.fd = opcode % 5;
        operation.size = 512;
        operation.user_data = uint64_t{opcode} << 16;
        operation.lease_generation = choice;
        const uint64_t registration = choice;
        std::memcpy(&operation.registration, &registration, sizeof(registration));
        const auto* raw = reinterpret_cast<const uint8_t*>(&operation);
        bytes.insert(bytes.end(), raw, raw + sizeof(operation));
      }
      bytes.push_back(choice);
      corpus.push_back(std::move(bytes));
    }
  }
  return corpus;
}

}  // namespace mooring::fuzz
