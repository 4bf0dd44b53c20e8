// lease_benchmark.cc: acquiring and releasing a lease, through the C interface and in the core.
//
// Names are api/buffers/taken/held/threads: the slab's buffers, per cent of them out on leases of
// others, leases that each thread keeps out in turn. Time is of one release and one acquire; with
// threads it is wall time over all their operations together, so perfect scaling halves it when
// threads double.
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
constexpr uint32_t kLeft = 48;  // four threads of kHeldMax, and some
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

// What the threads of a benchmark share. Made before they start, and gone after they have ended.
template <typename Api>
struct Scene {
  Scene(uint32_t buffers, uint32_t percent_taken) : api(buffers) {
    if (!api.ok()) return;
    // The same buffers in every run: ratios need that more than they need chance.
    std::mt19937 random(buffers);
    std::vector<typename Api::LeaseType> others(buffers);
    for (auto& lease : others) ready &= api.Acquire(&lease);
    for (uint32_t i = 0; i < buffers; ++i) {
      // The last are left to the threads.
      const bool stays = i + kLeft < buffers && random() % 100 < percent_taken;
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
Scene<Api>* scene = nullptr;

template <typename Api>
void SetUp(const benchmark::State& state) {
  scene<Api> =
      new Scene<Api>(static_cast<uint32_t>(state.range(0)), static_cast<uint32_t>(state.range(1)));
}

template <typename Api>
void TearDown(const benchmark::State&) {
  delete std::exchange(scene<Api>, nullptr);
}

template <typename Api>
void AcquireRelease(benchmark::State& state) {
  if (!scene<Api>->ready) return Fail(state, "no slab, or not all of its buffers");
  Api& api = scene<Api>->api;
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
  // Nobody else is there to take it: what was released is the lowest that is free, and is given out
  // again under a new generation.
  const bool alone = state.threads() == 1;
  for (uint32_t i = 0; i < held; ++i) {
    good &= leases[i].buffer_count == 1 && leases[i].generation != 0;
    if (alone) good &= leases[i].first_index == before[i].first_index;
    good &= api.Release(leases[i]);
  }
  if (!good) return Fail(state, "a lease was refused, or is not what it must be");
  if (alone && api.LeasedCount() != scene<Api>->taken) Fail(state, "buffers were lost or gained");
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
