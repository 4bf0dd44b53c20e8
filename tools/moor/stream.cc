#include "tools/moor/stream.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <vector>

#include "tools/moor/connection.h"
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

// Checks all files before the first read, so that a wrong name is reported immediately.
std::vector<SourcePath> FindSources(const std::vector<std::string>& files) {
  std::vector<SourcePath> paths;
  paths.reserve(files.size());
  for (const std::string& file : files) {
    paths.push_back(FindSource(file));
  }
  return paths;
}

// A file that is appended to itself has no end.
void RefuseOutputAmongInputs(const std::vector<SourcePath>& paths) {
  struct stat output {};
  if (::fstat(STDOUT_FILENO, &output) != 0 || !S_ISREG(output.st_mode)) {
    return;
  }
  for (const SourcePath& path : paths) {
    if (path.status.st_dev == output.st_dev && path.status.st_ino == output.st_ino) {
      throw Failure("'" + path.path + "' is also standard output",
                    "send the output to another file");
    }
  }
}

TransferResult RunTransfer(const StreamOptions& options, Session& session, const WindowPlan& window,
                           ReadPlan& plan, std::optional<uint64_t> total_bytes, const Sink& sink) {
  Digest digest(options.common.digest);
  TransferResult result;
  {
    Progress progress(options.common.quiet ? false : options.common.progress, total_bytes);
    Transfer transfer(session, window, plan, sink, digest, progress);
    result.bytes = transfer.Run();
  }
  result.digest = digest.Text();
  result.direct = plan.Direct();
  return result;
}

}  // namespace

void RunStream(const StreamOptions& options) {
  const Clock::time_point start = Clock::now();
  const SlabPlan slab = PlanSlab(options.common);
  const std::vector<SourcePath> paths = FindSources(options.files);
  const bool to_stdout = options.target == StreamTarget::kStdout;
  if (to_stdout) {
    RefuseOutputAmongInputs(paths);
  }
  const std::optional<uint64_t> total_bytes = TotalBytes(paths);
  const WindowPlan window = PlanWindow(slab, total_bytes);
  Session session(options.common, slab);
  ReadPlan plan(paths, {.direct = options.common.direct, .chunk_bytes = window.chunk_bytes});
  std::optional<Connection> connection;
  Sink sink;
  if (to_stdout) {
    sink = {.fd = STDOUT_FILENO, .standard_output = true, .name = "standard output"};
  } else if (options.target == StreamTarget::kTcp) {
    connection = Connection::Connect(options.address);
    sink = {.fd = connection->fd(), .socket = true, .name = connection->peer()};
  }
  TransferResult result;
  try {
    result = RunTransfer(options, session, window, plan, total_bytes, sink);
    if (connection) {
      connection->Finish();
    }
  } catch (...) {
    session.Stop();
    throw;
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  // With --to stdout, standard output carries the data, so the report goes to standard error.
  PrintReport(options.common, "streamed", result, session,
              to_stdout ? STDERR_FILENO : STDOUT_FILENO);
}

}  // namespace moor
