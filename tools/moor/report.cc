#include "tools/moor/report.h"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "tools/moor/failure.h"
#include "tools/moor/names.h"
#include "tools/moor/session_json.h"
#include "tools/moor/sizes.h"

namespace moor {
namespace {

using Json = nlohmann::ordered_json;

std::string Line(const std::string& label, const std::string& text) {
  return "  " + label + std::string(label.size() < 10 ? 10 - label.size() : 1, ' ') + text + "\n";
}

std::string WithReason(const char* name, const char* reason) {
  return std::string(reason) == "none" ? name : std::string(name) + " (" + reason + ")";
}

std::string RemedyLines(const Session& session) {
  std::string lines;
  const mooring_ring_info_t& ring = session.ring_info();
  const mooring_registration_info_t& info = session.registration_info();
  // A fallback that the user requested needs no remedy.
  const bool engine_chosen = ring.engine_reason == MOORING_ENGINE_REASON_POLICY;
  if (!engine_chosen && !session.EngineRemedy().empty()) {
    lines += Line("remedy", session.EngineRemedy());
  }
  const std::string remedy = session.RegistrationRemedy();
  if (!engine_chosen && info.reason != MOORING_REASON_POLICY && !remedy.empty() &&
      remedy != session.EngineRemedy()) {
    lines += Line("remedy", remedy);
  }
  return lines;
}

}  // namespace

std::string ReportJson(const TransferResult& result, const Session& session) {
  const mooring_ring_stats_t stats = session.stats();
  const Json json = {
      {"bytes", result.bytes},
      {"seconds", result.seconds},
      {"digest", result.digest ? Json(*result.digest) : Json()},
      {"engine", EngineJson(session)},
      {"registration", RegistrationJson(session)},
      {"operations",
       {{"read", stats.read},
        {"read_fixed", stats.read_fixed},
        {"write", stats.write},
        {"write_fixed", stats.write_fixed},
        {"send", stats.send},
        {"send_zero_copy", stats.send_zero_copy},
        {"receive", stats.recv}}},
      {"direct",
       {{"used", result.direct.used}, {"reason", DirectReasonName(result.direct.reason)}}},
  };
  return json.dump() + "\n";
}

std::string ReportText(const std::string& verb, const TransferResult& result,
                       const Session& session) {
  const mooring_ring_info_t& ring = session.ring_info();
  const mooring_registration_info_t& info = session.registration_info();
  const mooring_ring_stats_t stats = session.stats();
  std::string text = verb + " " + FormatBytes(result.bytes) + " in " +
                     FormatSeconds(result.seconds) + ", " +
                     FormatRate(result.bytes, result.seconds);
  if (result.hole_bytes > 0) {
    text += ", of which " + FormatBytes(result.hole_bytes) + " are holes";
  }
  text += "\n";
  if (result.digest) {
    text += Line("digest", *result.digest + " (xxh64)");
  }
  text += Line("engine", WithReason(EngineName(ring.engine), EngineReasonName(ring.engine_reason)));
  text += Line("memory", WithReason(OutcomeName(info.outcome), ReasonName(info.reason)) + ": " +
                             FormatBytes(info.bytes_fixed) + " of " +
                             FormatBytes(info.bytes_requested) + " pinned");
  if (stats.recv > 0) {
    text += Line("receives", std::to_string(stats.recv));
  } else {
    text += Line("reads", std::to_string(stats.read_fixed) + " fixed, " +
                              std::to_string(stats.read) + " copied; direct: " +
                              WithReason(result.direct.used ? "yes" : "no",
                                         DirectReasonName(result.direct.reason)));
  }
  if (stats.write_fixed + stats.write > 0) {
    text += Line("writes", std::to_string(stats.write_fixed) + " fixed, " +
                               std::to_string(stats.write) + " copied");
  }
  if (stats.send_zero_copy + stats.send > 0) {
    text += Line("sends", std::to_string(stats.send_zero_copy) + " zero-copy, " +
                              std::to_string(stats.send) + " copied");
  }
  return text + RemedyLines(session);
}

void PrintReport(const TransferOptions& options, const std::string& verb,
                 const TransferResult& result, const Session& session, int fd) {
  if (options.json) {
    PrintAll(fd, ReportJson(result, session));
  } else if (!options.quiet) {
    PrintAll(fd, ReportText(verb, result, session));
  }
}

void PrintAll(int fd, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(fd, text.data() + done, text.size() - done);
    if (written >= 0) {
      done += static_cast<size_t>(written);
    } else if (errno == EPIPE && fd == STDOUT_FILENO) {
      throw BrokenPipe();
    } else if (errno != EINTR) {
      ThrowSystemError(errno, "cannot write the report");
    }
  }
}

}  // namespace moor
