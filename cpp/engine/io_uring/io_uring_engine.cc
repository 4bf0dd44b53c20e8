#include "cpp/engine/io_uring/io_uring_engine.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "cpp/base/unique_fd.h"
#include "cpp/engine/io_uring/completion_side.h"
#include "cpp/engine/io_uring/failed_events.h"
#include "cpp/engine/io_uring/features.h"
#include "cpp/engine/io_uring/provided_ring.h"
#include "cpp/engine/io_uring/setup.h"
#include "cpp/engine/io_uring/submission_side.h"
#include "cpp/engine/io_uring/tables.h"
#include "cpp/engine/io_uring/uring.h"
#include "cpp/os/thread_token.h"

namespace mooring {
namespace {

UniqueFd MakeEventFd() { return UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

// A nop whose event callers ignore, as that of a tag which is none of theirs.
constexpr Request kIgnoredNop = {.token = kBufferTagBit | UINT32_MAX};

class IoUringEngine final : public Engine {
 public:
  IoUringEngine(const EngineOptions& options, Uring uring, KernelQuirks quirks,
                bool has_shutdown_opcode, UniqueFd wake_fd)
      : uring_(std::move(uring)),
        has_shutdown_opcode_(has_shutdown_opcode),
        owner_thread_(options.owner_thread),
        owner_(CurrentThread()),
        tables_(uring_),
        failed_(options.in_flight_max),
        submission_(uring_, failed_, quirks),
        completion_(uring_, failed_, submission_, std::move(wake_fd)) {}

  // Makes the tables, and writes down what was obtained.
  void Complete(const EngineOptions& options, const UringFeatures& features,
                uint64_t more_features);

  EngineCounters counters() const override {
    return {.system_calls = submission_.system_calls() + completion_.system_calls(),
            .overflows = completion_.overflows()};
  }
  bool IsOwner() const override { return !owner_thread_ || CurrentThread() == owner_; }
  bool WorksOnThisThread() const override {
    return !uring_.HasFlag(IORING_SETUP_SINGLE_ISSUER) || IsOwner();
  }

  void Submit(std::span<const Request> requests) override;
  uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) override;
  uint32_t SubmitAndReap(std::span<const Request> requests, std::span<Event> events,
                         uint32_t min_count, Deadline deadline) override;
  void Wake() override { completion_.Wake(); }
  void WakeAndSignal() override { completion_.WakeAndSignal(); }
  int CreateProvidedRing(uint32_t entry_count, std::unique_ptr<ProvidedRing>* out_ring) override {
    // The errno of kernels before 5.19. 5.19 has the rings, but no multishot receive.
    if ((info_.features & kFeatureRecvMultishot) == 0) return -EINVAL;
    return UringProvidedRing::Create(uring_, next_group_, entry_count, out_ring);
  }

  int UpdateBuffers(uint32_t first, std::span<const iovec> ranges,
                    std::span<const uint64_t> tags) override {
    return tables_.UpdateBuffers(first, ranges, tags);
  }
  int CloneBuffer(const Engine& source, uint32_t from, uint32_t to) override {
    return tables_.CloneBuffer(source.ring_fd(), from, to);
  }
  int ring_fd() const override { return uring_.fd(); }
  int RegisterBuffers(std::span<const iovec> ranges) override {
    return tables_.RegisterBuffers(ranges);
  }
  int UnregisterBuffers() override { return tables_.UnregisterBuffers(); }
  int SetFile(uint32_t index, int fd) override {
    // A slot is looked up when its request starts, and the polling thread may be behind.
    if (submission_.WaitUntilConsumed()) completion_.SignalFailedEvents();
    return tables_.SetFile(index, fd);
  }
  Result<int> EventFd() override;

 private:
  bool MayNeedDirectCalls() const { return !has_shutdown_opcode_ || submission_.has_seen_drain(); }
  void SubmitWithDirectCalls(std::span<const Request> requests);
  static int ShutDownDirectly(const Request& request);
  std::optional<int> CancelDirectly(uint64_t token);

  const Uring uring_;
  const bool has_shutdown_opcode_;  // IORING_OP_SHUTDOWN is there
  bool has_sync_cancel_ = true;     // IORING_REGISTER_SYNC_CANCEL is, as far as known
  const bool owner_thread_;
  const ThreadToken owner_;
  UringTables tables_;
  uint16_t next_group_ = 0;  // of provided buffers
  // Sides run on two threads: a cache line that both write would pass between them at each call.
  alignas(64) FailedEvents failed_;
  alignas(64) SubmissionSide submission_;
  alignas(64) CompletionSide completion_;
};

void IoUringEngine::Complete(const EngineOptions& options, const UringFeatures& features,
                             uint64_t more_features) {
  const io_uring_params& params = uring_.params();
  info_.kind = EngineKind::kIoUring;
  info_.submission_count = params.sq_entries;
  info_.completion_count = params.cq_entries;
  info_.setup_flags = params.flags;
  info_.owner_thread = options.owner_thread;
  info_.sqpoll = uring_.HasFlag(IORING_SETUP_SQPOLL);
  info_.memlock_bytes = uring_.memlock_bytes();
  info_.memlock_exempt = uring_.memlock_exempt();
  info_.features = features.FeatureBits() | more_features;
  if (options.fixed_buffer_count != 0) {
    info_.table_error = -tables_.CreateBuffers(options.fixed_buffer_count);
    if (info_.table_error == 0 && tables_.registers_whole()) {
      info_.fixed_buffer_count =
          std::min(options.fixed_buffer_count, UringTables::kWholeSlotCountMax);
      info_.features &= ~uint64_t{kFeatureBufferTags};  // they come with updates only
    } else if (info_.table_error == 0) {
      info_.fixed_buffer_count = options.fixed_buffer_count;
      info_.features |= kFeatureBufferUpdate | kFeatureSparseTable;
    }
  }
  if (options.fixed_file_count != 0 && tables_.CreateFiles(options.fixed_file_count) == 0) {
    info_.fixed_file_count = options.fixed_file_count;
    info_.features |= kFeatureFixedFiles;
  }
}

void IoUringEngine::Submit(std::span<const Request> requests) {
  if (MayNeedDirectCalls()) [[unlikely]]
    return SubmitWithDirectCalls(requests);
  if (submission_.Submit(requests, {})) completion_.SignalFailedEvents();
}

// Some requests are better made here than by the ring, after what stands before them has been
// started.
void IoUringEngine::SubmitWithDirectCalls(std::span<const Request> requests) {
  bool any_failed = false;
  bool needs_nop = false;
  bool in_chain = false;
  size_t begin = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    const Request& request = requests[i];
    if ((request.opcode == Opcode::kShutdown && !has_shutdown_opcode_ && !in_chain &&
         request.flags == 0) ||
        (request.opcode == Opcode::kCancel && submission_.has_seen_drain() && has_sync_cancel_)) {
      any_failed |= submission_.Submit(requests.subspan(begin, i - begin), {});
      any_failed |= submission_.WaitUntilConsumed();
      begin = i;
      const std::optional<int> result = request.opcode == Opcode::kShutdown
                                            ? ShutDownDirectly(request)
                                            : CancelDirectly(request.size64);
      if (result) {
        failed_.Push(request.token, *result);
        any_failed = true;
        begin = i + 1;
        needs_nop |= request.opcode == Opcode::kCancel && *result != -EEXIST;
      }
    }
    in_chain = (request.flags & kRequestLink) != 0;
  }
  any_failed |= submission_.Submit(requests.subspan(begin), {});
  // The kernel may forget to start what a drain held back when what it waited for was cancelled
  // (measured, 6.18). It looks again when it is given something.
  if (needs_nop) any_failed |= submission_.Submit({&kIgnoredNop, 1}, {});
  if (any_failed) completion_.SignalFailedEvents();
}

// Before 5.11 the kernel has no shutdown. As shutdown(2) never waits, one that nothing orders can
// be made at once. The rest get the kernel's own answer, EINVAL: they would have to wait for
// others, or name a slot whose file only the kernel knows.
int IoUringEngine::ShutDownDirectly(const Request& request) {
  return shutdown(request.fd, static_cast<int>(request.parameter)) == 0 ? 0 : -errno;
}

// A cancellation that is a request itself would wait behind a drain, and so for the very request
// that it is to stop. Nothing where the kernel knows no other kind (before 6.0): there it waits.
std::optional<int> IoUringEngine::CancelDirectly(uint64_t token) {
  // No time: one that runs already is asked to stop, and not waited for.
  io_uring_sync_cancel_reg argument = {};
  argument.addr = token;
  argument.fd = -1;
  const int result = uring_.Register(IORING_REGISTER_SYNC_CANCEL, &argument, 1);
  if (result == -EINVAL) {
    has_sync_cancel_ = false;
    return std::nullopt;
  }
  return result == -ETIME || result == -EINTR ? -EALREADY : result;
}

uint32_t IoUringEngine::Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) {
  return completion_.Reap(events, min_count, deadline);
}

uint32_t IoUringEngine::SubmitAndReap(std::span<const Request> requests, std::span<Event> events,
                                      uint32_t min_count, Deadline deadline) {
  if (MayNeedDirectCalls()) [[unlikely]] {
    SubmitWithDirectCalls(requests);
  } else if (!requests.empty()) {
    __kernel_timespec timeout;
    min_count = std::min(min_count, static_cast<uint32_t>(events.size()));
    if (submission_.Submit(requests, completion_.PlanWait(min_count, deadline, &timeout)))
      completion_.SignalFailedEvents();
  }
  return completion_.Reap(events, min_count, deadline);
}

Result<int> IoUringEngine::EventFd() {
  const int fd = completion_.EventFd();
  if (fd >= 0) return fd;
  return ErrnoStatus(-fd, "cannot make an eventfd and register it with the ring",
                     "close descriptors that are not needed, or raise RLIMIT_NOFILE (ulimit -n)");
}

// What the kernel must let us do beyond io_uring_setup; true, or false with the reason.
bool CheckUse(const Uring& uring, const UringFeatures& features, const UringCalls& calls,
              Unavailability* why) {
  const int enter = calls.io_uring_enter(uring.fd(), 0, 0, 0, nullptr, 0);
  if (enter < 0) {
    *why = ExplainDeniedCall("io_uring_enter", enter);
  } else if (features.probe_error() == -EINVAL) {
    *why = ExplainTooOld("it cannot be asked for its opcodes");
  } else if (features.probe_error() != 0) {
    *why = ExplainDeniedCall("io_uring_register", features.probe_error());
  } else if (const char* name = features.FirstMissingOpcode()) {
    *why = ExplainTooOld(std::string("it lacks ") + name);
  } else {
    return true;
  }
  return false;
}

}  // namespace

std::unique_ptr<Engine> CreateIoUringEngine(const EngineOptions& options, Unavailability* why,
                                            const UringCalls& calls) {
  Uring uring;
  if (!SetUpUring(calls, options, &uring, why)) return nullptr;
  const UringFeatures features(uring);
  if (!CheckUse(uring, features, calls, why)) return nullptr;
  UniqueFd wake_fd = MakeEventFd();
  if (!wake_fd.valid()) {
    *why = ExplainSetupFailure(calls, -errno);
    return nullptr;
  }
  const KernelQuirks quirks = {
      .closes_file_slots = options.fixed_file_count != 0 && ClosesFileSlots(calls, features),
      .drain_blocks_later_requests = features.HasOpcode(kOpcodePipe)};
  auto engine =
      std::make_unique<IoUringEngine>(options, std::move(uring), quirks,
                                      features.HasOpcode(IORING_OP_SHUTDOWN), std::move(wake_fd));
  engine->Complete(options, features, TrySendZeroCopy(calls, features));
  return engine;
}

}  // namespace mooring
