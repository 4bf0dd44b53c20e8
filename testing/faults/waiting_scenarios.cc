// What waits: timeouts, polls, event_fd, and rings that are closed or destroyed meanwhile.

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
  const Answers soon = trial.Perform(ring, {Timeout(kSoonNs)});
  trial.ExpectDone("a timeout", soon[0], -ETIME);
  Answers never = trial.Begin(ring, {Timeout(kNeverNs)});
  if (!never[0].taken) return;
  // By an operation, which may find it, or fail as others do.
  const Answers cancelled = trial.Perform(ring, {Cancel(never[0].user_data)});
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
  Answers polled = trial.Begin(ring, {Poll(pipe.read_fd(), POLLIN)});
  pipe.Write("x", 1);
  trial.Await(ring, &polled);
  trial.ExpectDone("a poll", polled[0], POLLIN);
  (void)pipe.Drain();
  Answers empty = trial.Begin(ring, {Poll(pipe.read_fd(), POLLIN)});
  trial.CancelAndAwait(ring, &empty);
  trial.ExpectDone("a cancelled poll", empty[0], -ECANCELED);
  trial.ExpectIdle(ring);
}

// Who sleeps on the descriptor is woken for everything that completes.
void EventFd(Trial& trial) {
  const Ring ring = trial.CreateRing();
  if (ring == nullptr) return;
  int32_t fd = -1;
  if (!trial.Ok("ring_event_fd", [&] { return mooring_ring_event_fd(ring.get(), &fd); })) return;
  const auto wait = [&](Answers* answers) {
    for (Answer& answer : *answers) {
      if (!answer.taken) return;
    }
    // Reaping at once whatever is there; then only the descriptor tells.
    const bool all = Eventually([&] {
      pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
      if (poll(&ready, 1, static_cast<int>(kPatienceNs / 1'000'000)) <= 0) return false;
      uint64_t count = 0;
      trial.Expect(read(fd, &count, sizeof count) == sizeof count, "it can be read");
      return trial.Glance(ring, answers);
    });
    trial.Expect(all, "event_fd tells of every completion");
  };
  Answers nop = trial.Begin(ring, {Nop()});
  wait(&nop);
  Answers timeout = trial.Begin(ring, {Timeout(kSoonNs)});
  wait(&timeout);
  trial.ExpectDone("a timeout", timeout[0], -ETIME);
  trial.ExpectIdle(ring);
}

// Operations that nobody will ever answer.
struct Waiting {
  Pipe pipe;
  TcpListener listener;
  Slab slab;
  Ring ring;
  Registration registration;
  Answers answers;

  explicit Waiting(Trial& trial) : slab(trial.CreateSlab()) {
    if (slab != nullptr) ring = trial.CreateRing();
    if (ring != nullptr) registration = trial.Register(ring, slab);
    if (registration == nullptr) return;
    const mooring_lease_t lease = trial.Acquire(slab);
    answers = trial.Begin(ring, {ReadStream(pipe.read_fd(), InLease(registration.get(), lease), 64),
                                 conformance::Accept(listener.fd()), Timeout(kNeverNs),
                                 Poll(pipe.read_fd(), POLLIN)});
    trial.Release(slab, lease);
    // Done by a worker, which has begun with those before by then.
    trial.Perform(ring, {Poll(pipe.write_fd(), POLLOUT)});
  }
};

void Closing(Trial& trial) {
  Waiting waiting(trial);
  if (waiting.answers.empty()) return;
  trial.Expect(
      trial.Ok("ring_close", [&] { return mooring_ring_close(waiting.ring.get(), kPatienceNs); }),
      "closing cancels what waits");
  // What is there can be reaped, and no more: the ring is closed.
  for (int i = 0; i < 4; ++i) (void)trial.Glance(waiting.ring, &waiting.answers);
  for (const Answer& answer : waiting.answers) {
    trial.Expect(answer.came == answer.taken, "each operation has completed");
    trial.ExpectDone("what waits", answer, -ECANCELED);
  }
  trial.ExpectIdle(waiting.ring);
  trial.ExpectNoLeases(waiting.slab);
}

// The ring goes first, with all that is in flight.
void Destroying(Trial& trial) {
  Waiting waiting(trial);
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
