// Report: what was moved, how fast, and which path the bytes took and why; for people or as JSON.
// The keys and words of the JSON are a contract: docs/MOOR.md.
//
// Threading: pure functions.
//
//   std::string text = options.json ? ReportJson(outcome, session) : ReportText("copied", ...);
#ifndef MOORING_TOOLS_MOOR_REPORT_H_
#define MOORING_TOOLS_MOOR_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tools/moor/direct_policy.h"
#include "tools/moor/session.h"

namespace moor {

struct Outcome {
  uint64_t bytes = 0;
  uint64_t hole_bytes = 0;  // of those: not read, and not written
  double seconds = 0;       // from the first look at the options to the last byte
  std::optional<std::string> digest;
  DirectSummary direct;
};

// One line, one object, with a newline.
std::string ReportJson(const Outcome& outcome, const Session& session);

// A few lines that begin with `verb`.
std::string ReportText(const std::string& verb, const Outcome& outcome, const Session& session);

// What the options ask for of the two, or nothing, to `fd`.
void PrintReport(const TransferOptions& options, const std::string& verb, const Outcome& outcome,
                 const Session& session, int fd);

// Writes all of `text`, or throws: a report that is lost is a failure too.
void PrintAll(int fd, const std::string& text);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_REPORT_H_
