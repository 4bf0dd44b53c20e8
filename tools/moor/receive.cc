#include "tools/moor/receive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>

#include "tools/moor/connection.h"
#include "tools/moor/destination.h"
#include "tools/moor/digest.h"
#include "tools/moor/failure.h"
#include "tools/moor/memory_plan.h"
#include "tools/moor/progress.h"
#include "tools/moor/read_plan.h"
#include "tools/moor/report.h"
#include "tools/moor/session.h"
#include "tools/moor/transfer.h"

namespace moor {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kStandardOutput[] = "-";

// Checked before the command listens.
DestinationPath FindReceiveDestination(const ReceiveOptions& options) {
  DestinationPath path = FindDestination(UnnamedSource(), options.destination);
  path.replace = options.force;
  struct stat status {};
  if (path.is_file && !path.replace && ::lstat(path.display_path.c_str(), &status) == 0) {
    ThrowExists(path.display_path);
  }
  return path;
}

Connection AcceptOne(const ReceiveOptions& options) {
  Listener listener(options.address);
  if (!options.common.quiet) {
    PrintAll(STDERR_FILENO, "moor: listening on " + listener.address() + "\n");
  }
  return listener.Accept();
}

TransferResult RunTransfer(const ReceiveOptions& options, Session& session,
                           const WindowPlan& window, ReadPlan& plan, Destination* destination) {
  Sink sink = {.fd = STDOUT_FILENO, .standard_output = true, .name = "standard output"};
  if (destination != nullptr) {
    sink = {.fd = destination->fd(),
            .positioned = destination->is_file(),
            .name = destination->display_path()};
  }
  Digest digest(options.common.digest);
  TransferResult result;
  const std::shared_ptr<Source> source = plan.First();
  {
    Progress progress(options.common.quiet ? false : options.common.progress, std::nullopt);
    Transfer transfer(session, window, plan, sink, digest, progress);
    result.bytes = transfer.Run();
    if (destination != nullptr) {
      destination->Commit(*source, result.bytes, options.sync);
    }
  }
  result.digest = digest.Text();
  result.direct = plan.Direct();
  return result;
}

}  // namespace

void RunReceive(const ReceiveOptions& options) {
  const SlabPlan slab = PlanSlab(options.common);
  const bool to_stdout = options.destination == kStandardOutput;
  std::optional<DestinationPath> path;
  if (!to_stdout) {
    path = FindReceiveDestination(options);
  }
  const WindowPlan window = PlanWindow(slab, std::nullopt);
  Session session(options.common, slab);
  Connection connection = AcceptOne(options);
  const Clock::time_point start = Clock::now();  // excludes the wait for a sender
  Descriptor socket(::fcntl(connection.fd(), F_DUPFD_CLOEXEC, 3));
  if (!socket) {
    ThrowSystemError(errno, "cannot receive from '" + connection.peer() + "'");
  }
  ReadPlan plan(connection.peer(), std::move(socket),
                {.direct = options.common.direct, .chunk_bytes = window.chunk_bytes});
  std::optional<Destination> destination;
  if (path) {
    destination.emplace(*path);
  }
  TransferResult result;
  try {
    result = RunTransfer(options, session, window, plan, destination ? &*destination : nullptr);
    connection.DisableResetOnClose();
  } catch (...) {
    if (destination) {
      destination->Remove();
    }
    session.Stop();
    throw;
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  PrintReport(options.common, "received", result, session,
              to_stdout ? STDERR_FILENO : STDOUT_FILENO);
}

}  // namespace moor
