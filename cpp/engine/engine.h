// Engine: the interface that accepts requests and returns one event for each (or several:
// request.h). It has two implementations with the same behaviour: IoUringEngine and ThreadsEngine.
//
// Lifecycle: CreateEngine (create_engine.h) makes the best engine that the kernel allows and
// reports why it is not a better one. The destructor closes all that is left. It does not protect
// memory that the kernel may still write to: cpp/ring keeps an engine until all events of all
// requests have arrived.
//
// Threading: the submission side (Submit, SetFile) and the completion side (Reap) are each
// one-at-a-time, and may run on two threads at the same time. SubmitAndReap is both. With
// owner_thread, only the creating thread may call. Wake may be called on any thread. UpdateBuffers
// and CloneBuffer may be called on any thread, one at a time (the caller holds a lock); with
// owner_thread, on the owner only.
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
  // The most requests that the caller has in flight. Buffer tags are not counted.
  uint32_t in_flight_max = 256;
  uint32_t fixed_buffer_count = 1024;  // slots wanted; 0 = no table
  uint32_t fixed_file_count = 0;
  uint32_t worker_count = 0;
  uint32_t sqpoll_idle_ms = 1000;
};

// The properties of the engine that was made.
struct EngineInfo {
  EngineKind kind = EngineKind::kThreads;
  EngineReason reason = EngineReason::kNone;
  int32_t system_error = 0;  // errno of `reason`; positive, as a reported value
  uint32_t submission_count = 0;
  uint32_t completion_count = 0;
  uint32_t fixed_buffer_count = 0;  // slots of the kernel's table; 0 = no table, see table_error
  int32_t table_error = 0;  // errno of the table's registration; positive, as a reported value
  uint32_t fixed_file_count = 0;
  uint32_t worker_count = 0;
  uint32_t setup_flags = 0;
  bool owner_thread = false;
  bool sqpoll = false;
  uint64_t features = 0;
  // Charged for the ring itself; 0 where the kernel does not charge rings or the ring is exempt.
  uint64_t memlock_bytes = 0;
  bool memlock_exempt = false;  // made with CAP_IPC_LOCK in the initial user namespace
  std::string message;          // the reason why it is not io_uring
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
  // Sets the reason why the engine is not io_uring. For CreateEngine only, before it returns the
  // engine.
  void SetReason(EngineReason reason, int32_t system_error, std::string message,
                 std::string remedy) {
    info_.reason = reason;
    info_.system_error = system_error;
    info_.message = std::move(message);
    info_.remedy = std::move(remedy);
  }

  virtual EngineCounters counters() const = 0;

  // True on the thread that may call. Always true without owner_thread.
  virtual bool IsOwner() const = 0;
  // True where the engine can execute calls of this thread. It can be true where IsOwner is false:
  // some engines work on any thread, and owner_thread is then a rule for callers only.
  virtual bool WorksOnThisThread() const { return IsOwner(); }

  // Accepts all requests and starts them. The caller does not exceed in_flight_max. Each chain
  // (kRequestLink) is complete within `requests` and has at most submission_count requests. A
  // request that cannot be started gets an event with its negative errno; Submit has no other
  // failure. It may wait for room in the submission queue, but not for requests to complete.
  virtual void Submit(std::span<const Request> requests) = 0;

  // Waits until `min_count` events are available, the deadline passes, or Wake is called. Fills up
  // to events.size() events and returns their count. EINTR does not end the wait.
  virtual uint32_t Reap(std::span<Event> events, uint32_t min_count, Deadline deadline) = 0;

  // Submit, then Reap; in one system call where possible.
  virtual uint32_t SubmitAndReap(std::span<const Request> requests, std::span<Event> events,
                                 uint32_t min_count, Deadline deadline) = 0;

  // Makes the Reap that waits now return early, or else the next one that would wait.
  virtual void Wake() = 0;
  // Wake, and makes the eventfd readable, for callers that wait on that instead of in Reap.
  virtual void WakeAndSignal() = 0;

  // Makes an empty ring of `entry_count` (a power of two, at most 32768) provided buffers, for recv
  // with kRequestMultishot. 0, or a negative errno: -EOPNOTSUPP where the engine does not support
  // it, else the kernel's. The ring may outlive the engine. Threads: as UpdateBuffers.
  virtual int CreateProvidedRing(uint32_t /*entry_count*/,
                                 std::unique_ptr<ProvidedRing>* /*out_ring*/) {
    return -EOPNOTSUPP;
  }

  // Registers ranges in slots [first, first + ranges.size()); {nullptr, 0} empties a slot. `tags`
  // is empty or has one tag for each range (0 = no tag; an empty slot has tag 0). Returns the
  // number of slots that were updated, or a negative errno when the first update failed. The count
  // may be less than ranges.size(); the kernel does not return the errno then, and a second call
  // with the rest does. -EOPNOTSUPP where there is no table; -EEXIST on a thread that is not the
  // owner.
  virtual int UpdateBuffers(uint32_t first, std::span<const iovec> ranges,
                            std::span<const uint64_t> tags) = 0;

  // Clones slot `from` of `source` into slot `to`, which is empty. Both slots then hold the same
  // pinned pages, which are not charged a second time and stay pinned until the last slot that
  // holds them is emptied. The new slot has no tag. 0, or a negative errno: -EOPNOTSUPP where one
  // of the two engines is not io_uring; -EINVAL from a kernel before 6.13, and where the two rings
  // are charged to different accounts; -EEXIST where either ring has an owner that is not the
  // caller (for the source: seen on 6.18). Cloning an empty slot is not an error. `source` and its
  // slot must stay unchanged during the call. Threads: as UpdateBuffers.
  virtual int CloneBuffer(const Engine& /*source*/, uint32_t /*from*/, uint32_t /*to*/) {
    return -EOPNOTSUPP;
  }
  // The descriptor of the io_uring, for CloneBuffer of another engine; -1 where there is none.
  virtual int ring_fd() const { return -1; }

  // Registers the whole table, for kernels that cannot change a table (fixed_buffer_count != 0
  // without kFeatureBufferUpdate). No range is empty. Call it only when there is no table, nothing
  // is in flight and no thread is inside a call of this engine: up to 5.12 the kernel waits until
  // all requests of the ring have completed and all threads have left it, and returns ENXIO to
  // threads that enter. 0, or a negative errno; then nothing is registered. -EOPNOTSUPP from any
  // other engine.
  virtual int RegisterBuffers(std::span<const iovec> /*ranges*/) { return -EOPNOTSUPP; }

  // Frees the table, so that its memlock budget is released before the ring is closed. Call it only
  // when no request that uses the table is in flight: up to 6.12 the kernel waits for those (and
  // deadlocks on 6.1 with DEFER_TASKRUN). Up to 5.12 the conditions of RegisterBuffers apply.
  // 0, also where there is no table, or a negative errno; then the table is unchanged.
  virtual int UnregisterBuffers() = 0;

  // An fd of -1 empties the slot. 0, or a negative errno.
  virtual int SetFile(uint32_t index, int fd) = 0;

  // Readable when Reap has something to return. Created on first use.
  virtual Result<int> EventFd() = 0;

 protected:
  Engine() = default;
  EngineInfo info_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_ENGINE_H_
