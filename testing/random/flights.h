// flights.h: the operations of one ring that are in flight, and the expected result of each.
//
// Threading: the submitter takes a flight, fills it and launches it; the reaper lands it. The
// submitter recalls a flight that was not accepted.
#ifndef MOORING_TESTING_RANDOM_FLIGHTS_H_
#define MOORING_TESTING_RANDOM_FLIGHTS_H_

#include <mooring/mooring.h>

#include <array>
#include <atomic>
#include <cinttypes>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "testing/random/arena.h"
#include "testing/random/channel.h"

namespace mooring::workload {

// A part of the file that a ring writes to: one operation at a time uses it.
struct Block {
  std::atomic<bool> is_busy = false;
  uint64_t seed = 0;
  uint64_t size = 0;  // of the bytes known to be written
};

enum class Aim : uint32_t {
  kNothing,   // nop, fsync
  kPattern,   // a read of the common file
  kWrite,     // into a block
  kReadBack,  // of a block
  kSend,
  kReceive,
  kTimeout,
  kRepeat,   // a multishot receive, until it is cancelled
  kEndless,  // a poll or a timeout that only a cancellation ends
  kCancel,
};

struct Flight {
  std::atomic<bool> is_in_flight = false;
  // Set before any call that may cancel it.
  std::atomic<bool> may_be_cancelled = false;
  uint64_t user_data = 0;
  mooring_opcode_t opcode = MOORING_OPCODE_NOP;
  mooring_operation_flags_t flags = 0;
  Aim aim = Aim::kNothing;
  bool is_checked = false;  // its bytes are still leased when it lands
  bool must_be_fixed = false;
  bool must_be_copied = false;
  uint64_t size = 0;
  uint64_t file_offset = 0;
  uint64_t seed = 0;
  std::byte* bytes = nullptr;
  Arena* arena = nullptr;
  SharedLease lease;
  Channel* channel = nullptr;
  Block* block = nullptr;
};

class Flights {
 public:
  static constexpr uint32_t kCount = 128;

  // Null when all are in flight.
  Flight* Take() {
    for (Flight& flight : flights_) {
      if (flight.is_in_flight.load(std::memory_order_acquire)) continue;
      Reset(flight);
      flight.user_data = ++launched_ << 8 | static_cast<uint64_t>(&flight - flights_.data());
      flight.is_in_flight.store(true, std::memory_order_release);
      return &flight;
    }
    return nullptr;
  }

  void Land(Flight& flight) { flight.is_in_flight.store(false, std::memory_order_release); }

  // The flight of `user_data`, or null if it is not in flight.
  Flight* Find(uint64_t user_data) {
    const uint64_t index = user_data & 0xff;
    if (index >= kCount) return nullptr;
    Flight& flight = flights_[index];
    const bool is_in_flight = flight.is_in_flight.load(std::memory_order_acquire);
    return is_in_flight && flight.user_data == user_data ? &flight : nullptr;
  }

  uint32_t InFlight() const {
    uint32_t count = 0;
    for (const Flight& flight : flights_)
      count += flight.is_in_flight.load(std::memory_order_acquire);
    return count;
  }

  // Opcode, user_data and flags of each flight.
  std::string Describe() {
    std::string text;
    ForEach([&](const Flight& flight) {
      char line[128];
      std::snprintf(line, sizeof(line),
                    "opcode %u, flags %x, user_data %" PRIx64 ", %" PRIu64 " bytes\n  ",
                    flight.opcode, flight.flags, flight.user_data, flight.size);
      text += line;
    });
    return text;
  }

  template <typename Visit>
  void ForEach(Visit visit) {
    for (Flight& flight : flights_) {
      if (flight.is_in_flight.load(std::memory_order_acquire)) visit(flight);
    }
  }

 private:
  static void Reset(Flight& flight) {
    flight.may_be_cancelled.store(false, std::memory_order_relaxed);
    flight.aim = Aim::kNothing;
    flight.flags = 0;
    flight.is_checked = flight.must_be_fixed = flight.must_be_copied = false;
    flight.size = flight.file_offset = flight.seed = 0;
    flight.bytes = nullptr;
    flight.arena = nullptr;
    flight.lease.reset();
    flight.channel = nullptr;
    flight.block = nullptr;
  }

  uint64_t launched_ = 0;
  std::array<Flight, kCount> flights_;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_FLIGHTS_H_
