// Random options and info structs: sizes, flags and counts. Every call succeeds, and its object is
// destroyed, or fails with a message and a remedy. Nothing is written beyond the struct_size of the
// caller.
#include <mooring/mooring.h>

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "testing/fuzz/fuzz_input.h"
#include "testing/fuzz/target.h"
#include "testing/support/handles.h"
#include "testing/support/mapped_memory.h"

namespace mooring::fuzz {
namespace {

using conformance::Registration;
using conformance::Ring;
using conformance::Slab;

constexpr size_t kRoomBytes = 8192;
constexpr uint8_t kUntouched = 0xee;
constexpr uint64_t kSlabBytesMax = 1 << 20;

// A struct followed by the fields that a caller of another release may have.
template <typename T>
struct Spacious {
  union {
    T known;
    uint8_t room[kRoomBytes];
  };
  Spacious() { std::memset(room, 0, sizeof(room)); }
};

// struct_size correct, small, large or invalid; the fields, and sometimes the tail, from the input.
template <typename T>
void FillOptions(FuzzInput& input, Spacious<T>& options) {
  const auto choice = input.Take<uint8_t>();
  input.TakeBytes(&options.known, sizeof(T));
  if (choice < 200) options.known.struct_size = sizeof(T);
  if (choice >= 200 && choice < 225) options.known.struct_size = sizeof(T) + choice % 32;
  if (choice >= 250) options.room[sizeof(T) + choice % 8] = choice;
}

template <typename T, typename Get>
void GetInfo(FuzzInput& input, Get get) {
  Spacious<T> info;
  std::memset(info.room, kUntouched, sizeof(info.room));
  const auto size = input.Take<uint8_t>() < 128 ? uint32_t{sizeof(T)} : input.Take<uint32_t>();
  info.known.struct_size = size;
  const mooring_code_t code = CodeOf(get(&info.known));
  CLAIM(code == MOORING_CODE_OK || code == MOORING_CODE_INVALID_ARGUMENT);
  CLAIM(info.known.struct_size == size);
  const size_t written = code == MOORING_CODE_OK ? size : sizeof(size);
  CLAIM(written <= sizeof(info.room));
  CLAIM(std::all_of(info.room + written, info.room + sizeof(info.room),
                    [](uint8_t byte) { return byte == kUntouched; }));
}

// Large enough to be rejected, or small enough to be cheap.
template <typename T>
void Shrink(T& count, T most, T cheap) {
  if (count <= most) count %= cheap;
}

Ring MakeRing(FuzzInput& input) {
  Spacious<mooring_ring_options_t> options;
  FillOptions(input, options);
  Shrink(options.known.worker_count, 256u, 3u);
  Shrink(options.known.in_flight_max, 1u << 20, 512u);
  Shrink(options.known.completion_count, 65536u, 512u);
  Shrink(options.known.submission_count, 32768u, 128u);
  // The limit applies to the whole process.
  options.known.flags &= ~uint32_t{MOORING_RING_RAISE_MEMLOCK};
  mooring_ring_t* ring = nullptr;
  const mooring_code_t code = CodeOf(mooring_ring_create(&options.known, &ring));
  CLAIM((code == MOORING_CODE_OK) == (ring != nullptr));
  return Ring(ring);
}

void LimitSlab(mooring_slab_options_t& options) {
  const uint64_t buffer_bytes = options.buffer_bytes == 0 ? kSlabBytesMax : options.buffer_bytes;
  const uint64_t buffer_count = options.buffer_count == 0 ? 64 : options.buffer_count;
  options.touch_thread_count %= 5;
  uint64_t total = 0;
  // A size larger than the address space is rejected.
  if (__builtin_mul_overflow(buffer_bytes, buffer_count, &total) || total > uint64_t{1} << 50)
    return;
  if (buffer_bytes > kSlabBytesMax) options.buffer_bytes = kSlabBytesMax;
  options.buffer_count =
      std::max<uint64_t>(kSlabBytesMax / std::min(buffer_bytes, kSlabBytesMax), 1);
  Shrink(options.buffer_count_max, uint64_t{1} << 24, 2 * options.buffer_count);
}

Slab MakeSlab(FuzzInput& input) {
  Spacious<mooring_slab_options_t> options;
  FillOptions(input, options);
  LimitSlab(options.known);
  mooring_slab_t* slab = nullptr;
  const mooring_code_t code = CodeOf(mooring_slab_create(&options.known, &slab));
  CLAIM((code == MOORING_CODE_OK) == (slab != nullptr));
  return Slab(slab);
}

// Its memory must live until the slab is closed.
void AdoptAndClose(FuzzInput& input) {
  const conformance::MappedMemory memory(64 * 1024);
  Spacious<mooring_slab_options_t> options;
  FillOptions(input, options);
  auto size = input.Take<uint64_t>();
  if (size <= uint64_t{1} << 50) size %= memory.size() + 1;
  mooring_slab_t* made = nullptr;
  const mooring_code_t code =
      CodeOf(mooring_slab_adopt(memory.data(), size, &options.known, &made));
  CLAIM((code == MOORING_CODE_OK) == (made != nullptr));
  const Slab slab(made);
  if (made != nullptr) CLAIM(CodeOf(mooring_slab_close(made, 0)) == MOORING_CODE_OK);
}

void UseLeases(FuzzInput& input, mooring_slab_t* slab) {
  for (int i = 0; i < 4; ++i) {
    auto lease = input.Take<mooring_lease_t>();
    const bool is_of_slab =
        CodeOf(mooring_slab_acquire(slab, input.Take<uint32_t>(), &lease)) == MOORING_CODE_OK;
    if (is_of_slab) CLAIM(mooring_slab_data(slab, lease) != nullptr);
    if (input.Take<uint8_t>() < 64) lease.generation ^= 1;
    lease.buffer_count ^= input.Take<uint8_t>() & 1;
    (void)mooring_slab_data(slab, lease);
    (void)CodeOf(mooring_slab_release(slab, lease));
  }
}

Registration Register(FuzzInput& input, const Ring& ring, const Slab& slab) {
  Spacious<mooring_registration_options_t> options;
  FillOptions(input, options);
  options.known.flags &= ~uint32_t{MOORING_REGISTRATION_RAISE_MEMLOCK};
  mooring_registration_t* registration = nullptr;
  const mooring_code_t code =
      CodeOf(mooring_registration_create(ring.get(), slab.get(), &options.known, &registration));
  CLAIM((code == MOORING_CODE_OK) == (registration != nullptr));
  return Registration(registration);
}

void LookAt(FuzzInput& input, const Ring& ring) {
  GetInfo<mooring_ring_info_t>(input,
                               [&](auto* info) { return mooring_ring_get_info(ring.get(), info); });
  GetInfo<mooring_ring_stats_t>(
      input, [&](auto* stats) { return mooring_ring_get_stats(ring.get(), stats); });
}

void LookAt(FuzzInput& input, const Registration& registration) {
  GetInfo<mooring_registration_info_t>(
      input, [&](auto* info) { return mooring_registration_get_info(registration.get(), info); });
  const auto index = input.Take<uint32_t>();
  GetInfo<mooring_extent_info_t>(input, [&](auto* info) {
    return mooring_registration_get_extent(registration.get(), index, info);
  });
}

template <typename T>
std::vector<uint8_t> BytesOf(const T& value) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  return {bytes, bytes + sizeof(value)};
}

void Append(std::vector<uint8_t>& to, const std::vector<uint8_t>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void RunOnInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const Ring ring = MakeRing(input);
  const Slab slab = MakeSlab(input);
  Registration registration;
  if (ring != nullptr && slab != nullptr) registration = Register(input, ring, slab);
  if (ring != nullptr) LookAt(input, ring);
  if (slab != nullptr) {
    GetInfo<mooring_slab_info_t>(
        input, [&](auto* info) { return mooring_slab_get_info(slab.get(), info); });
    (void)CodeOf(mooring_slab_grow(slab.get(), input.Take<uint64_t>() % 64));
    UseLeases(input, slab.get());
  }
  if (registration != nullptr) LookAt(input, registration);
  AdoptAndClose(input);
}

std::vector<std::vector<uint8_t>> Corpus() {
  std::vector<std::vector<uint8_t>> corpus;
  for (const mooring_engine_t engine : {MOORING_ENGINE_IO_URING, MOORING_ENGINE_THREADS}) {
    for (const uint32_t flags : {0u, uint32_t{MOORING_RING_OWNER_THREAD}}) {
      mooring_ring_options_t ring = MOORING_RING_OPTIONS_INIT;
      ring.engine = engine;
      ring.flags = flags;
      mooring_slab_options_t slab = MOORING_SLAB_OPTIONS_INIT;
      slab.buffer_bytes = 4096;
      slab.buffer_count = 16;
      slab.buffer_count_max = 32;
      mooring_registration_options_t registration = MOORING_REGISTRATION_OPTIONS_INIT;
      registration.extent_bytes_max = 64 * 1024;
      std::vector<uint8_t> bytes = {0};
      Append(bytes, BytesOf(ring));
      bytes.push_back(0);
      Append(bytes, BytesOf(slab));
      bytes.push_back(0);
      Append(bytes, BytesOf(registration));
      bytes.resize(bytes.size() + 160);
      corpus.push_back(std::move(bytes));
    }
  }
  return corpus;
}

}  // namespace mooring::fuzz
