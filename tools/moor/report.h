// Report: the bytes, the rate, and the path of a transfer with its reasons, as text or as JSON.
// The keys and the names in the JSON are a public interface: docs/MOOR.md.
//
// Threading: pure functions.
//
//   std::string text = options.json ? ReportJson(result, session) : ReportText("copied", ...);
#ifndef MOORING_TOOLS_MOOR_REPORT_H_
#define MOORING_TOOLS_MOOR_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tools/moor/direct_policy.h"
#include "tools/moor/session.h"

namespace moor {

struct TransferResult {
  uint64_t bytes = 0;
  uint64_t hole_bytes = 0;  // part of `bytes` that was neither read nor written
  double seconds = 0;       // from the start of the command to the last byte
  std::optional<std::string> digest;
  DirectSummary direct;
};

// One JSON object on one line, with a newline.
std::string ReportJson(const TransferResult& result, const Session& session);

// Several lines. The first line begins with `verb`.
std::string ReportText(const std::string& verb, const TransferResult& result,
                       const Session& session);

// Writes the report to `fd` as JSON, as text, or not at all, as the options require.
void PrintReport(const TransferOptions& options, const std::string& verb,
                 const TransferResult& result, const Session& session, int fd);

// Writes all of `text` or throws: a lost report is a failure too.
void PrintAll(int fd, const std::string& text);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_REPORT_H_
