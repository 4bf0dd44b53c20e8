// operation_benchmark.cc: the cost of an operation through the C interface, and of the same
// operation with liburing only: the same setup flags, memory, file, order and batches.
//
// Names are operation/ring/depth/side. Sides:
//   mooring                   through libmooring.so; each operation names a lease
//   mooring_slab              the same with offsets in the slab (fixed reads only)
//   liburing                  liburing only
//   liburing_registered_ring  liburing only, with the ring's descriptor registered
// The time is that of a batch of `depth`. benchmarks/micro/compare makes a table of the results.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "benchmarks/micro/c_api_ring.h"
#include "benchmarks/micro/liburing_ring.h"
#include "benchmarks/micro/operation_kind.h"
#include "benchmarks/micro/run.h"
#include "benchmarks/micro/sample_file.h"

namespace mooring::benchmarks {
namespace {

struct Shape {
  bool owner_thread = false;
  uint32_t depth = 0;
};

// Checks all bytes of the last batch, which ended before operation `end`. The loop checks only the
// first word of each block.
bool LastBatchIsWhole(const CApiRing& memory, uint64_t end, uint32_t depth) {
  for (uint32_t i = 0; i < depth; ++i) {
    const uint64_t block = SampleFile::BlockOf(end - depth + i);
    if (!SampleFile::IsBlock(block, memory.buffer(i))) return false;
  }
  return true;
}

// Batches before the measurement: the rings are new, and the repetitions short.
constexpr uint32_t kWarmUpBatches = 16;

// Measures `run_batch(first)`. Returns the number of operations, 0 if the benchmark has failed.
template <OperationKind kind, typename RunBatch>
uint64_t Measure(benchmark::State& state, const Shape& shape, const CApiRing& memory,
                 RunBatch run_batch) {
  uint64_t next = 0;
  bool good = true;
  for (uint32_t i = 0; i < kWarmUpBatches; ++i, next += shape.depth) good &= run_batch(next);
  for (auto _ : state) {
    good &= run_batch(next);
    next += shape.depth;
  }
  if (!good) {
    Fail(state, "a completion is wrong: " + memory.error());
    return 0;
  }
  if (kind != OperationKind::kNop && !LastBatchIsWhole(memory, next, shape.depth)) {
    Fail(state, "a block differs from the file");
    return 0;
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * shape.depth));
  return next;
}

template <OperationKind kind, Naming naming>
void MeasureMooring(benchmark::State& state, const Shape& shape) {
  std::string error;
  const std::unique_ptr<CApiRing> ring = CApiRing::Create(shape.owner_thread, &error);
  if (!ring) return Skip(state, "io_uring", error);
  const uint64_t done = Measure<kind>(state, shape, *ring, [&](uint64_t first) {
    return ring->RunBatch<kind, naming>(first, shape.depth);
  });
  if (done != 0 && ring->CountOf(kind) != done) {
    Fail(state, "the ring's counter is not the number of submitted operations");
  }
}

template <OperationKind kind, bool registered_ring>
void MeasureLiburing(benchmark::State& state, const Shape& shape) {
  std::string text;
  const std::unique_ptr<CApiRing> model = CApiRing::Create(shape.owner_thread, &text);
  if (!model) return Skip(state, "io_uring", text);
  std::unique_ptr<LiburingRing> ring;
  const int result = LiburingRing::Create({.setup_flags = model->info().setup_flags,
                                           .submission_count = model->info().submission_count,
                                           .completion_count = model->info().completion_count,
                                           .data = model->data(),
                                           .registered_ring = registered_ring},
                                          &ring);
  if (result != 0)
    return Fail(state, "the kernel rejects a liburing ring with the options of Mooring's ring");
  Measure<kind>(state, shape, *model,
                [&](uint64_t first) { return ring->RunBatch<kind>(first, shape.depth); });
}

template <typename Function>
void Register(const char* operation, const Shape& shape, const char* side, Function function) {
  const std::string name = std::string(operation) +
                           (shape.owner_thread ? "/owner_thread/" : "/any_thread/") +
                           std::to_string(shape.depth) + "/" + side;
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    function(state, shape);
  })->UseRealTime();
}

template <OperationKind kind>
void RegisterSides(const char* operation, const Shape& shape) {
  Register(operation, shape, "mooring", MeasureMooring<kind, Naming::kLease>);
  if (kind == OperationKind::kReadFixed) {
    Register(operation, shape, "mooring_slab", MeasureMooring<kind, Naming::kSlab>);
  }
  Register(operation, shape, "liburing", MeasureLiburing<kind, false>);
  // The registration is valid for one thread only (io_uring_register_ring_fd(3)).
  if (shape.owner_thread) {
    Register(operation, shape, "liburing_registered_ring", MeasureLiburing<kind, true>);
  }
}

void RegisterAll() {
  for (const bool owner_thread : {false, true}) {
    RegisterSides<OperationKind::kNop>("nop", {owner_thread, 32});
    for (const uint32_t depth : {1u, 32u}) {
      RegisterSides<OperationKind::kRead>("read", {owner_thread, depth});
      RegisterSides<OperationKind::kReadFixed>("read_fixed", {owner_thread, depth});
    }
  }
}

}  // namespace
}  // namespace mooring::benchmarks

int main(int argc, char** argv) {
  mooring::benchmarks::RegisterAll();
  return mooring::benchmarks::Run(argc, argv);
}
