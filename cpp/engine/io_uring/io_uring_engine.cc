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

// A nop whose event callers ignore, because they do not know its tag.
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

  // Makes the tables and fills info_.
  void Initialize(const EngineOptions& options, const UringFeatures& features,
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
    // The kernel looks up a slot when the request starts, and the SQPOLL thread may start it later.
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
  const bool has_shutdown_opcode_;
  bool has_sync_cancel_ = true;  // false after IORING_REGISTER_SYNC_CANCEL has failed with EINVAL
  const bool owner_thread_;
  const ThreadToken owner_;
  UringTables tables_;
  uint16_t next_group_ = 0;  // of provided buffers
  // The sides may run on two threads: a shared cache line would move between them at each call.
  alignas(64) FailedEvents failed_;
  alignas(64) SubmissionSide submission_;
  alignas(64) CompletionSide completion_;
};

void IoUringEngine::Initialize(const EngineOptions& options, const UringFeatures& features,
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
    if (info_.table_error == 0 && tables_.lacks_updates()) {
      info_.fixed_buffer_count =
          std::min(options.fixed_buffer_count, UringTables::kNoUpdateSlotCountMax);
      info_.features &= ~uint64_t{kFeatureBufferTags};  // tags need updates
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

// Executes some requests with a direct system call, after it has submitted the requests before
// them.
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
  // When a request that a drain waited for is cancelled, the kernel may not start the drain and the
  // requests after it (measured, 6.18). The next submission starts them.
  if (needs_nop) any_failed |= submission_.Submit({&kIgnoredNop, 1}, {});
  if (any_failed) completion_.SignalFailedEvents();
}

// Before 5.11 the kernel has no shutdown opcode. shutdown(2) never waits, so the engine calls it
// for requests without flags. The others are submitted and get the kernel's EINVAL: they would have
// to wait for other requests, or name a slot whose file only the kernel knows.
int IoUringEngine::ShutDownDirectly(const Request& request) {
  return shutdown(request.fd, static_cast<int>(request.parameter)) == 0 ? 0 : -errno;
}

// A cancel request would wait behind a drain, and the drain for the request to cancel. So the
// engine uses IORING_REGISTER_SYNC_CANCEL. Returns nothing before 6.0, which does not have it;
// there the cancel is submitted as a request and waits.
std::optional<int> IoUringEngine::CancelDirectly(uint64_t token) {
  // The timeout is 0: a request that is already running gets a cancel, but the call does not wait
  // for it.
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

// Checks that io_uring_enter and io_uring_register work, and that no opcode is missing. False with
// the reason in `*why`.
bool CheckUse(const Uring& uring, const UringFeatures& features, const UringCalls& calls,
              Unavailability* why) {
  const int enter = calls.io_uring_enter(uring.fd(), 0, 0, 0, nullptr, 0);
  if (enter < 0) {
    *why = ExplainDeniedCall("io_uring_enter", enter);
  } else if (features.probe_result() == -EINVAL) {
    *why = ExplainTooOld("it has no IORING_REGISTER_PROBE");
  } else if (features.probe_result() != 0) {
    *why = ExplainDeniedCall("io_uring_register", features.probe_result());
  } else if (const char* name = features.FirstMissingOpcode()) {
    *why = ExplainTooOld(std::string("it has no ") + name);
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
  engine->Initialize(options, features, TrySendZeroCopy(calls, features));
  return engine;
}

}  // namespace mooring
