#include "testing/random/tally.h"

#include <cinttypes>

namespace mooring::workload {
namespace {

constexpr const char* kSteps[] = {
    "episodes",
    "rings of io_uring",
    "rings of threads",
    "rings with an owner",
    "rings with SQPOLL",
    "rings drained",
    "rings closed",
    "rings destroyed in flight",
    "registrations fixed",
    "registrations partial",
    "registrations copy",
    "registrations cloned",
    "registrations replaced in flight",
    "promotions",
    "cancellations",
    "stale leases refused",
    "leases released",
    "leases released in flight",
    "canaries",
    "slabs adopted",
    "slabs created",
    "slabs grown",
    "growth refused",
    "refused for memlock",
};
static_assert(std::size(kSteps) == static_cast<size_t>(Step::kCount));

constexpr const char* kOpcodeNames[] = {
    "nop",      "read",    "write",   "fsync",   "fallocate",    "openat",    "close",
    "statx",    "timeout", "cancel",  "send",    "recv",         "accept",    "connect",
    "shutdown", "poll",    "sendmsg", "recvmsg", "multi_accept", "multi_recv"};

}  // namespace

uint64_t Tally::operations() const {
  uint64_t sum = 0;
  for (const auto& paths : operations_) {
    for (const auto& count : paths) sum += count.load();
  }
  return sum;
}

void Tally::Print(std::FILE* out) const {
  for (size_t i = 0; i < steps_.size(); ++i) {
    std::fprintf(out, "  %-34s %10" PRIu64 "\n", kSteps[i], steps_[i].load());
  }
  std::fprintf(out, "  %-12s %10s %10s %10s %10s\n", "operation", "no data", "fixed", "copy",
               "cancelled");
  for (size_t i = 0; i < operations_.size(); ++i) {
    const auto& paths = operations_[i];
    const uint64_t counts[] = {paths[0].load(), paths[1].load(), paths[2].load(), paths[3].load()};
    if (counts[0] + counts[1] + counts[2] + counts[3] == 0) continue;
    std::fprintf(out, "  %-12s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
                 kOpcodeNames[i], counts[0], counts[1], counts[2], counts[3]);
  }
}

}  // namespace mooring::workload
