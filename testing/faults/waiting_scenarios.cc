// Operations that wait: timeouts, polls, event_fd, and rings that are closed or destroyed during
// the wait.

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "testing/faults/scenario.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/sockets.h"

namespace mooring::faults {
namespace {

using conformance::Cancel;
using conformance::Eventually;
using conformance::InLease;
using conformance::kPatienceNs;
using conformance::Nop;
using conformance::Pipe;
using conformance::Poll;
using conformance::ReadStream;
using conformance::TcpListener;
using conformance::Timeout;

constexpr uint64_t kSoonNs = 1'000'000;
constexpr uint64_t kNeverNs = 3'600'000'000'000;

void Timeouts(Trial& trial) {
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  const Results soon = trial.Perform(ring, {Timeout(kSoonNs)});
  trial.ExpectDone("a timeout", soon[0], -ETIME);
  Results never = trial.Begin(ring, {Timeout(kNeverNs)});
  if (!never[0].accepted) return;
  // Cancelled by an operation, which may find it or fail like any other.
  const Results cancelled = trial.Perform(ring, {Cancel(never[0].user_data)});
  trial.ExpectDone("a cancel", cancelled[0], 1);
  if (cancelled[0].ok()) {
    trial.Await(ring, &never);
  } else {
    trial.CancelAndAwait(ring, &never);
  }
  trial.ExpectDone("a cancelled timeout", never[0], -ECANCELED);
  trial.ExpectIdle(ring);
}

void Polls(Trial& trial) {
  const Pipe pipe;
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  Results polled = trial.Begin(ring, {Poll(pipe.read_fd(), POLLIN)});
  pipe.Write("x", 1);
  trial.Await(ring, &polled);
  trial.ExpectDone("a poll", polled[0], POLLIN);
  (void)pipe.Drain();
  Results empty = trial.Begin(ring, {Poll(pipe.read_fd(), POLLIN)});
  trial.CancelAndAwait(ring, &empty);
  trial.ExpectDone("a cancelled poll", empty[0], -ECANCELED);
  trial.ExpectIdle(ring);
}

// A thread that sleeps on the descriptor is woken for every completion.
void EventFd(Trial& trial) {
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  int32_t fd = -1;
  if (!trial.Ok("ring_event_fd", [&] { return mooring_ring_event_fd(ring.get(), &fd); })) return;
  const auto wait = [&](Results* results) {
    for (OperationResult& operation : *results) {
      if (!operation.accepted) return;
    }
    // Each round reaps once after the descriptor was readable; only the descriptor wakes it.
    const bool all = Eventually([&] {
      pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, static_cast<int>(kPatienceNs / 1'000'000)) <= 0) return false;
      uint64_t count = 0;
      trial.Expect(read(fd, &count, sizeof count) == sizeof count, "the descriptor can be read");
      return trial.ReapAvailable(ring, results);
    });
    trial.Expect(all, "event_fd reports every completion");
  };
  Results nop = trial.Begin(ring, {Nop()});
  wait(&nop);
  Results timeout = trial.Begin(ring, {Timeout(kSoonNs)});
  wait(&timeout);
  trial.ExpectDone("a timeout", timeout[0], -ETIME);
  trial.ExpectIdle(ring);
}

// Operations that never complete by themselves.
struct WaitingOperations {
  Pipe pipe;
  TcpListener listener;
  Slab slab;
  Ring ring;
  Registration registration;
  Results results;

  explicit WaitingOperations(Trial& trial) : slab(trial.CreateSlab()) {
    if (slab != nullptr) ring = trial.CreateRing();
    if (ring != nullptr) registration = trial.Register(ring, slab);
    if (registration == nullptr) return;
    const mooring_lease_t lease = trial.Acquire(slab);
    results = trial.Begin(ring, {ReadStream(pipe.read_fd(), InLease(registration.get(), lease), 64),
                                 conformance::Accept(listener.fd()), Timeout(kNeverNs),
                                 Poll(pipe.read_fd(), POLLIN)});
    trial.Release(slab, lease);
    // A worker executes this, after it has begun the operations before it.
    trial.Perform(ring, {Poll(pipe.write_fd(), POLLOUT)});
  }
};

void Closing(Trial& trial) {
  WaitingOperations waiting(trial);
  if (waiting.results.empty()) return;
  trial.Expect(
      trial.Ok("ring_close", [&] { return mooring_ring_close(waiting.ring.get(), kPatienceNs); }),
      "closing cancels waiting operations");
  // Completions already posted can be reaped; the closed ring accepts nothing new.
  for (int i = 0; i < 4; ++i) (void)trial.ReapAvailable(waiting.ring, &waiting.results);
  for (const OperationResult& operation : waiting.results) {
    trial.Expect(operation.completed == operation.accepted, "each operation has completed");
    trial.ExpectDone("a waiting operation", operation, -ECANCELED);
  }
  trial.ExpectIdle(waiting.ring);
  trial.ExpectNoLeases(waiting.slab);
}

// The ring is destroyed first, with operations in flight.
void Destroying(Trial& trial) {
  WaitingOperations waiting(trial);
  waiting.ring.reset();
  waiting.registration.reset();
  waiting.slab.reset();
}

constexpr Scenario kScenarios[] = {
    {"timeouts", &Timeouts, kInNamed},     {"polls", &Polls, kInBoth | kInOwner},
    {"event_fd", &EventFd, kInNamed},      {"closing", &Closing, kInNamed},
    {"destroying", &Destroying, kInNamed},
};

}  // namespace

std::span<const Scenario> WaitingScenarios() { return kScenarios; }

}  // namespace mooring::faults
