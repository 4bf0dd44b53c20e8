// slot_table_benchmark.cc: acquire and release of slots of a fixed-buffer table, at various fills.
//
// Names are slots/taken/range: the slots of the table; the percentage that is already taken
// (scattered; the last 16 are always free, so that each range fits); the slots of one range. The
// time is that of one Acquire and one Release. Target: the same time at each fill.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <optional>
#include <random>

#include "benchmarks/micro/run.h"
#include "cpp/registration/slot_table.h"

namespace mooring::benchmarks {
namespace {

constexpr uint32_t kFreeAtEnd = 16;

// Takes `percent` of the slots; false if the table's count is wrong.
bool Fill(SlotTable* table, uint64_t percent) {
  const uint32_t count = table->slot_count();
  std::mt19937 random(count);  // the same slots in every run
  if (table->Acquire(count) != 0u) return false;
  uint32_t taken = count;
  for (uint32_t slot = 0; slot < count; ++slot) {
    if (slot + kFreeAtEnd < count && random() % 100 < percent) continue;
    if (!table->Release(slot, 1)) return false;
    --taken;
  }
  return table->taken_count() == taken;
}

void AcquireRelease(benchmark::State& state) {
  SlotTable table(static_cast<uint32_t>(state.range(0)));
  const auto range = static_cast<uint32_t>(state.range(2));
  if (!Fill(&table, static_cast<uint64_t>(state.range(1))))
    return Fail(state, "the table is wrong");
  const std::optional<uint32_t> lowest = table.Acquire(range);
  if (!lowest || !table.Release(*lowest, range)) return Fail(state, "no range is free");
  bool good = true;
  for (auto _ : state) {
    const std::optional<uint32_t> first = table.Acquire(range);
    good &= first == lowest && table.Release(*first, range);
  }
  if (!good) Fail(state, "the range is not the lowest free one");
}

// A search that finds no free slot must not cost more than one that finds a slot.
void AcquireFromFull(benchmark::State& state) {
  SlotTable table(static_cast<uint32_t>(state.range(0)));
  if (!table.Acquire(table.slot_count())) return Fail(state, "the table is not empty at first");
  bool good = true;
  for (auto _ : state) good &= !table.Acquire(1);
  if (!good) Fail(state, "a full table returned a slot");
}

void RegisterAll() {
  benchmark::RegisterBenchmark("slot_table/acquire_release", AcquireRelease)
      ->ArgNames({"slots", "taken", "range"})
      ->ArgsProduct({{1024, 16384}, {0, 50, 90, 100}, {1, 4}});
  benchmark::RegisterBenchmark("slot_table/full", AcquireFromFull)
      ->ArgName("slots")
      ->Arg(1024)
      ->Arg(16384);
}

}  // namespace
}  // namespace mooring::benchmarks

int main(int argc, char** argv) {
  mooring::benchmarks::RegisterAll();
  return mooring::benchmarks::Run(argc, argv);
}
