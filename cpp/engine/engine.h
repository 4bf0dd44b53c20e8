// Engine: takes requests, gives one event for each (or several: request.h). Two kinds with one
// meaning: IoUringEngine and ThreadsEngine.
//
// Lifecycle: CreateEngine (create_engine.h) climbs the ladder of what the kernel allows and reports
// where it stopped. The destructor closes whatever is left; what the kernel may still write to is
// the business of cpp/operations, which keeps an engine until every event of every request has
// come.
//
// Threading: submission side (Submit, SetFile) and completion side (Reap) are each one-at-a-time
// and may run on two threads at once; SubmitAndReap is both. With owner_thread everything is for
// the creating thread. Wake takes any thread. UpdateBuffers and CloneBuffer take any thread but run
// one at a time (its caller holds a lock); with owner_thread it is the owner's.
//
// Errors: 0 (or a count) or a negative errno; outputs go through pointers (README.md).
//
// Nothing here allocates after creation.
#ifndef MOORING_CPP_ENGINE_ENGINE_H_
#define MOORING_CPP_ENGINE_ENGINE_H_

#include <sys/uio.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "cpp/base/deadline.h"
#include "cpp/base/result.h"
#include "cpp/base/status.h"
#include "cpp/engine/provided_ring.h"
#include "cpp/engine/request.h"

namespace mooring {

// Same numbers as mooring_engine_t and mooring_engine_reason_t.
enum class EngineKind : uint32_t { kAuto = 0, kIoUring = 1, kThreads = 2 };
enum class EngineReason : uint32_t {
  kNone = 0,
  kPolicy = 1,
  kMemlockLimit = 2,
  kIoUringDenied = 3,
  kIoUringDisabled = 4,
  kIoUringMissing = 5,
};

// Same bits as MOORING_FEATURE_*.
enum Feature : uint64_t {
  kFeatureFixedBuffers = 1u << 0,
  kFeatureBufferUpdate = 1u << 1,
  kFeatureBufferTags = 1u << 2,
  kFeatureSparseTable = 1u << 3,
  kFeatureCloneBuffers = 1u << 4,
  kFeatureFixedFiles = 1u << 5,
  kFeatureWaitTimeout = 1u << 6,
  kFeatureSingleIssuer = 1u << 7,
  kFeatureDeferTaskrun = 1u << 8,
  kFeatureSqpoll = 1u << 9,
  kFeatureSendZeroCopy = 1u << 10,
  kFeatureSubmitAll = 1u << 11,
  kFeatureAcceptMultishot = 1u << 12,
  kFeatureRecvMultishot = 1u << 13,
};

struct EngineOptions {
  EngineKind kind = EngineKind::kAuto;
  bool owner_thread = false;
  bool sqpoll = false;
  bool raise_memlock = false;
  uint32_t submission_count = 128;  // power of two
  uint32_t completion_count = 256;  // power of two, at least submission_count
  uint32_t in_flight_max =
      256;  // requests that the caller will ever have in flight (tags come on top)
  uint32_t fixed_buffer_count = 1024;  // slots wanted; 0 = no table
  uint32_t fixed_file_count = 0;
  uint32_t worker_count = 0;
  uint32_t sqpoll_idle_ms = 1000;
};

// What was obtained.
struct EngineInfo {
  EngineKind kind = EngineKind::kThreads;
  EngineReason reason = EngineReason::kNone;
  // A reported value, like table_error: positive, not a result of a function here.
  int32_t system_error = 0;
  uint32_t submission_count = 0;
  uint32_t completion_count = 0;
  uint32_t fixed_buffer_count =
      0;  // slots of the kernel's table, 0 = none: then table_error says why
  // Positive errno of the table's registration, 0 when there is a table.
  int32_t table_error = 0;
  uint32_t fixed_file_count = 0;
  uint32_t worker_count = 0;
  uint32_t setup_flags = 0;
  bool owner_thread = false;
  bool sqpoll = false;
  uint64_t features = 0;
  uint64_t memlock_bytes =
      0;  // charged for the ring itself, 0 where the kernel charges none or the ring is exempt
  bool memlock_exempt = false;  // made with CAP_IPC_LOCK in the initial user namespace
  std::string message;          // why it is not io_uring
  std::string remedy;
};

struct EngineCounters {
  uint64_t system_calls = 0;
  uint64_t overflows = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const EngineInfo& info() const { return info_; }
  // Says why it is this engine and not io_uring. For CreateEngine, before anyone else has seen the
  // engine.
  void Explain(EngineReason reason, int32_t system_error, std::string message, std::string remedy) {
    info_.reason = reason;
    info_.system_error = system_error;
    info_.message = std::move(message);
    info_.remedy = std::move(remedy);
  }

  virtual EngineCounters counters() const = 0;

  // True on the thread that may call. Always true without owner_thread.
  virtual bool IsOwner() const = 0;
  // True on a thread whose calls the engine can carry out: IsOwner may be a rule for callers only.
  virtual bool WorksOnThisThread() const { return IsOwner(); }

  // Takes all requests and starts them; the caller keeps to in_flight_max. Chains (kRequestLink)
  // are whole within `requests` and no longer than submission_count. A request that cannot be
  // started gets an event with its errno: there is no other failure. Never waits for requests to
  // finish; waits for room in the submission queue only.
  virtual void Submit(std::span<const Request> requests) = 0;

  // Waits until `min_count` events are there, the deadline passes, or Wake is called; fills up to
  // events.size(). Returns how many. EINTR does not end the wait.
  virtual uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) = 0;

  // Submit, then Reap; one system call where that can be.
  virtual uint32_t SubmitAndReap(std::span<const Request> requests, std::span<Event> events,
                                 uint32_t min_count, Deadline deadline) = 0;

  // Makes a Reap that waits now, or the next one that would wait, return early.
  virtual void Wake() = 0;
  // Wake, and for those who wait outside: makes the eventfd readable.
  virtual void WakeAndSignal() = 0;

  // Makes an empty ring of `entry_count` (a power of two, at most 32768) provided buffers, for recv
  // with kRequestMultishot. 0, or a negative errno: -EOPNOTSUPP where the engine has no such rings,
  // else the kernel's. The ring may outlive the engine. Threads: as UpdateBuffers.
  virtual int CreateProvidedRing(uint32_t /*entry_count*/,
                                 std::unique_ptr<ProvidedRing>* /*out_ring*/) {
    return -EOPNOTSUPP;
  }

  // Puts ranges into slots [first, first + ranges.size()); {nullptr, 0} empties a slot. `tags` is
  // empty or one per range (0 = no tag; an empty slot takes tag 0). Returns how many were done,
  // which may be fewer than asked (the kernel then hides the reason: ask again for the rest to
  // learn it), or a negative errno when not even the first was. -EOPNOTSUPP where there is no
  // table; -EEXIST from a thread that is not the owner.
  virtual int UpdateBuffers(uint32_t first, std::span<const iovec> ranges,
                            std::span<const uint64_t> tags) = 0;

  // Puts what slot `from` of `source` holds into slot `to`, which is empty: the same pinned pages,
  // charged to nobody again, and pinned until the last slot that holds them is emptied. The new
  // slot has no tag. 0, or a negative errno: -EOPNOTSUPP where one of the two is no io_uring,
  // -EINVAL from a kernel before 6.13 and where the two rings are not charged to the same account,
  // -EEXIST where either ring has an owner and it is not the caller (for the source: seen on 6.18).
  // An empty `from` is cloned too, and no error. The caller keeps `source`, and what its slot
  // holds, during the call. Threads: as UpdateBuffers.
  virtual int CloneBuffer(const Engine& /*source*/, uint32_t /*from*/, uint32_t /*to*/) {
    return -EOPNOTSUPP;
  }
  // The descriptor that the kernel knows this engine by, for another one's CloneBuffer; -1 where
  // there is none.
  virtual int ring_fd() const { return -1; }

  // Where the table can be made but not changed (slots, and no kFeatureBufferUpdate): makes it, of
  // these ranges, none of them empty. Only when there is none, nothing is in flight and no thread
  // is in a call of this engine: up to 5.12 the kernel waits until all requests of the ring are
  // over and all threads have left it, and answers ENXIO to those that come. All or nothing: 0, or
  // a negative errno. -EOPNOTSUPP from any other engine.
  virtual int RegisterBuffers(std::span<const iovec> /*ranges*/) { return -EOPNOTSUPP; }

  // Frees the table at once. Only when no request that uses it is in flight: up to 6.12 the kernel
  // waits for those (and on 6.1 with DEFER_TASKRUN deadlocks); up to 5.12 as RegisterBuffers. Lets
  // the budget come back before the ring is closed. Idempotent: 0 where there is none. A negative
  // errno: it is as it was.
  virtual int UnregisterBuffers() = 0;

  // -1 empties the slot. 0, or a negative errno.
  virtual int SetFile(uint32_t index, int fd) = 0;

  // Creates it on first use.
  virtual Result<int> EventFd() = 0;

 protected:
  Engine() = default;
  EngineInfo info_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_ENGINE_H_
