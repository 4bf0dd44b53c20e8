// Options: the checked options of the command line. command_line.h fills them.
//
// Lifecycle: created once, read by the commands. Threading: values.
#ifndef MOORING_TOOLS_MOOR_OPTIONS_H_
#define MOORING_TOOLS_MOOR_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <mooring/mooring.h>

#include "tools/moor/tcp_address.h"

namespace moor {

enum class DirectMode { kAuto, kOn, kOff };
enum class DigestKind { kXxh64, kNone };
enum class StreamTarget { kNull, kStdout, kTcp };

inline constexpr uint64_t kDefaultSlabBytes = UINT64_C(64) << 20;

// Options of copy, stream and receive. memory_plan.h chooses the sizes that are not set.
struct TransferOptions {
  mooring_engine_t engine = MOORING_ENGINE_AUTO;
  mooring_policy_t policy = MOORING_POLICY_PREFER;
  DirectMode direct = DirectMode::kAuto;
  DigestKind digest = DigestKind::kXxh64;
  std::optional<uint64_t> slab_bytes;
  std::optional<uint64_t> buffer_bytes;
  std::optional<uint64_t> window_bytes;
  bool json = false;
  bool quiet = false;
  std::optional<bool> progress;  // not set: shown if standard error is a terminal
};

struct CopyOptions {
  TransferOptions common;
  std::string source;
  std::string destination;
  bool sync = false;
};

struct StreamOptions {
  TransferOptions common;
  std::vector<std::string> files;
  StreamTarget target = StreamTarget::kNull;
  TcpAddress address;  // for kTcp
};

struct ReceiveOptions {
  TransferOptions common;
  TcpAddress address{"127.0.0.1", 0};  // to listen on; port 0 is a free port
  std::string destination;             // "-" is standard output
  bool force = false;
  bool sync = false;
};

struct DoctorOptions {
  bool json = false;
  uint64_t slab_bytes = kDefaultSlabBytes;
};

// The help or the version: it is printed, and the exit status is 0.
struct PrintText {
  std::string text;
};

using Command = std::variant<CopyOptions, StreamOptions, ReceiveOptions, DoctorOptions, PrintText>;

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_OPTIONS_H_
