// lease_benchmark.cc: acquire and release of a lease, through the C interface and in cpp/slabs.
//
// Names are api/buffers/taken/held/threads: the slab's buffers; the percentage that is already
// leased; the leases that each thread holds, and releases in turn. The time is that of one release
// and one acquire. With threads it is the wall time divided by the operations of all threads, so
// with perfect scaling it is halved when the threads are doubled.
#include <benchmark/benchmark.h>
#include <mooring/mooring.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "benchmarks/micro/run.h"
#include "cpp/slabs/slab.h"

namespace mooring::benchmarks {
namespace {

constexpr uint32_t kHeldMax = 8;
constexpr uint32_t kFreeForThreads = 48;  // for four threads of kHeldMax leases, and 16 more
constexpr uint64_t kBufferBytes = 512;

// Through libmooring.so.
class CApi {
 public:
  using LeaseType = mooring_lease_t;

  explicit CApi(uint32_t buffer_count) {
    mooring_slab_options_t options = MOORING_SLAB_OPTIONS_INIT;
    options.buffer_bytes = kBufferBytes;
    options.buffer_count = buffer_count;
    options.touch = MOORING_TOUCH_NONE;
    mooring_error_destroy(mooring_slab_create(&options, &slab_));
  }
  ~CApi() { mooring_slab_destroy(slab_); }
  CApi(const CApi&) = delete;
  CApi& operator=(const CApi&) = delete;

  bool ok() const { return slab_ != nullptr; }
  bool Acquire(mooring_lease_t* lease) { return mooring_slab_acquire(slab_, 1, lease) == nullptr; }
  bool Release(mooring_lease_t lease) { return mooring_slab_release(slab_, lease) == nullptr; }
  uint64_t LeasedCount() const {
    mooring_slab_info_t info = {};
    info.struct_size = sizeof info;
    mooring_error_destroy(mooring_slab_get_info(slab_, &info));
    return info.leased_count;
  }

 private:
  mooring_slab_t* slab_ = nullptr;
};

// cpp/slabs, linked statically.
class Core {
 public:
  using LeaseType = Lease;

  explicit Core(uint32_t buffer_count) {
    Result<RefPtr<Slab>> made = Slab::Create(
        {.buffer_bytes = kBufferBytes, .buffer_count = buffer_count, .touch = Touch::kNone});
    if (made.ok()) slab_ = std::move(made).value();
  }

  bool ok() const { return static_cast<bool>(slab_); }
  bool Acquire(Lease* lease) { return slab_->Acquire(1, lease).ok(); }
  bool Release(const Lease& lease) { return slab_->Release(lease).ok(); }
  uint64_t LeasedCount() const { return slab_->Info().leased_count; }

 private:
  RefPtr<Slab> slab_;
};

// The state that the threads of a benchmark share. It is made before they start, and destroyed
// after they have ended.
template <typename Api>
struct SharedState {
  SharedState(uint32_t buffers, uint32_t percent_taken) : api(buffers) {
    if (!api.ok()) return;
    // The same buffers in each run, so that runs can be compared.
    std::mt19937 random(buffers);
    std::vector<typename Api::LeaseType> others(buffers);
    for (auto& lease : others) ready &= api.Acquire(&lease);
    for (uint32_t i = 0; i < buffers; ++i) {
      // The last kFreeForThreads buffers are free for the threads.
      const bool stays = i + kFreeForThreads < buffers && random() % 100 < percent_taken;
      if (stays) {
        ++taken;
      } else {
        ready &= api.Release(others[i]);
      }
    }
  }

  Api api;
  uint64_t taken = 0;
  bool ready = api.ok();
};

template <typename Api>
SharedState<Api>* shared_state = nullptr;

template <typename Api>
void SetUp(const benchmark::State& state) {
  shared_state<Api> = new SharedState<Api>(static_cast<uint32_t>(state.range(0)),
                                           static_cast<uint32_t>(state.range(1)));
}

template <typename Api>
void TearDown(const benchmark::State&) {
  delete std::exchange(shared_state<Api>, nullptr);
}

template <typename Api>
void AcquireRelease(benchmark::State& state) {
  if (!shared_state<Api>->ready) return Fail(state, "no slab, or not all of its buffers");
  Api& api = shared_state<Api>->api;
  const auto held = static_cast<uint32_t>(state.range(2));
  std::array<typename Api::LeaseType, kHeldMax> leases{};
  bool good = true;
  for (uint32_t i = 0; i < held; ++i) good &= api.Acquire(&leases[i]);
  const auto before = leases;
  uint32_t oldest = 0;
  for (auto _ : state) {
    good &= api.Release(leases[oldest]);
    good &= api.Acquire(&leases[oldest]);
    oldest = oldest + 1 == held ? 0 : oldest + 1;
  }
  // With one thread, the released buffer is the lowest free one, and the next acquire returns it
  // with a new generation.
  const bool alone = state.threads() == 1;
  for (uint32_t i = 0; i < held; ++i) {
    good &= leases[i].buffer_count == 1 && leases[i].generation != 0;
    if (alone) good &= leases[i].first_index == before[i].first_index;
    good &= api.Release(leases[i]);
  }
  if (!good) return Fail(state, "an acquire or release failed, or a lease is wrong");
  if (alone && api.LeasedCount() != shared_state<Api>->taken)
    Fail(state, "the count of leased buffers is wrong");
}

template <typename Api>
void Register(const char* name, const std::vector<int64_t>& taken) {
  benchmark::RegisterBenchmark(name, AcquireRelease<Api>)
      ->ArgNames({"buffers", "taken", "held"})
      ->ArgsProduct({{64, 4096, 65536}, taken, {1, 8}})
      ->Setup(SetUp<Api>)
      ->Teardown(TearDown<Api>)
      ->UseRealTime()
      ->Threads(1)
      ->Threads(2)
      ->Threads(4);
}

}  // namespace
}  // namespace mooring::benchmarks

int main(int argc, char** argv) {
  using namespace mooring::benchmarks;
  Register<CApi>("lease/c_api", {0, 50, 100});
  Register<Core>("lease/core", {0});
  return Run(argc, argv);
}
