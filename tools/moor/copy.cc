#include "tools/moor/copy.h"

#include <unistd.h>

#include <chrono>
#include <vector>

#include "tools/moor/data_ranges.h"
#include "tools/moor/destination.h"
#include "tools/moor/digest.h"
#include "tools/moor/memory_plan.h"
#include "tools/moor/progress.h"
#include "tools/moor/read_plan.h"
#include "tools/moor/report.h"
#include "tools/moor/session.h"
#include "tools/moor/transfer.h"

namespace moor {
namespace {

using Clock = std::chrono::steady_clock;

// For smaller files, the copy itself detects a full filesystem early enough.
constexpr uint64_t kReserveBytesMin = UINT64_C(16) << 20;
constexpr int kReserveRangesMax = 1024;

void ReserveSpace(const Source& source, Destination& destination) {
  if (source.size() < kReserveBytesMin) {
    return;
  }
  DataRanges ranges(source.fd(), source.size(), source.may_have_holes());
  for (int count = 0; count < kReserveRangesMax; ++count) {
    const std::optional<DataRange> range = ranges.Next();
    if (!range) {
      return;
    }
    if (!range->hole) {
      destination.Reserve(range->offset, range->size);
    }
  }
}

TransferResult RunTransfer(const CopyOptions& options, Session& session, const WindowPlan& window,
                           ReadPlan& plan, Destination& destination,
                           std::optional<uint64_t> total_bytes) {
  const std::shared_ptr<Source> source = plan.First();
  if (destination.is_file()) {
    ReserveSpace(*source, destination);
  }
  const Sink sink = {.fd = destination.fd(),
                     .positioned = destination.is_file(),
                     .name = destination.display_path()};
  Digest digest(options.common.digest);
  TransferResult result;
  {
    Progress progress(options.common.quiet ? false : options.common.progress, total_bytes);
    Transfer transfer(session, window, plan, sink, digest, progress);
    result.bytes = transfer.Run();
    result.hole_bytes = transfer.hole_bytes();
    destination.Commit(*source, result.bytes, options.sync);
  }
  result.digest = digest.Text();
  result.direct = plan.Direct();
  return result;
}

}  // namespace

void RunCopy(const CopyOptions& options) {
  const Clock::time_point start = Clock::now();
  const SlabPlan slab = PlanSlab(options.common);
  const std::vector<SourcePath> paths = {FindSource(options.source)};
  const DestinationPath path = FindDestination(paths.front(), options.destination);
  const std::optional<uint64_t> total_bytes = TotalBytes(paths);
  const WindowPlan window = PlanWindow(slab, total_bytes);
  Session session(options.common, slab);
  ReadPlan plan(paths, {.direct = options.common.direct,
                        .keep_holes = path.is_file,
                        .chunk_bytes = window.chunk_bytes});
  // Before the destination is created: the open may fail, or wait for the writer of a pipe.
  plan.First();
  Destination destination(path);
  TransferResult result;
  try {
    result = RunTransfer(options, session, window, plan, destination, total_bytes);
  } catch (...) {
    destination.Remove();
    session.Stop();
    throw;
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  PrintReport(options.common, "copied", result, session, STDOUT_FILENO);
}

}  // namespace moor
