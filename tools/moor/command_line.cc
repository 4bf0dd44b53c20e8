#include "tools/moor/command_line.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/moor/failure.h"
#include "tools/moor/sizes.h"

namespace moor {
namespace {

constexpr char kDescription[] =
    "Copies, streams and receives files with io_uring and pinned memory, and reports the I/O path.";

constexpr char kFooter[] = R"(
Examples:
  moor doctor                          show what this machine supports, and what to change
  moor copy model.bin /mnt/model.bin   copy a file; holes, mode and times are kept
  moor stream a.bin b.bin --json       read files and report the rate as JSON
  moor stream a.bin --to stdout | ...  write the data to another program
  moor receive 9000 b.bin              receive a file over TCP; on the sending machine, run:
  moor stream a.bin --to tcp:HOST:9000

`moor COMMAND --help` shows the options of a command. A SIZE is a number of bytes with an optional
suffix K, M, G or T (KiB, MiB, GiB, TiB). Exit status: 0 success, 1 failure, 2 wrong usage.)";

constexpr char kCopyFooter[] = R"(
SRC is a file, a pipe, a device, or - for standard input. DST is a file, a directory to copy into,
a pipe or a device. A file gets its final name only when it is complete: until then it is a hidden
temporary file in the same directory, which is deleted on any error and on ctrl-C. Holes, mode and
times are kept, and the owner and the group where permitted.

Examples:
  moor copy model.bin /mnt/models/
  moor copy --registration require big.img copy.img   fail if the memory cannot be pinned
  moor copy --slab-bytes 256M --json big.img copy.img
  producer | moor copy - result.bin)";

constexpr char kStreamFooter[] = R"(
Reads the files in order. Discards the data (--to null, to measure the read rate), or writes it to
standard output (--to stdout), or sends it over TCP (--to tcp:HOST:PORT, IPv6 as tcp:[::1]:PORT).
With --to stdout, the report goes to standard error. If a transfer over TCP fails, the connection is
reset, so that the receiver cannot mistake partial data for complete data.

Examples:
  moor stream shard-*.bin                        read all files, report rate and digest
  moor stream --direct on --digest none x.bin    measure the storage, not the page cache
  moor stream x.bin --to stdout | consumer
  moor stream x.bin --to tcp:storage.local:9000  send to `moor receive` or `nc -l`)";

constexpr char kReceiveFooter[] = R"(
Listens on PORT (0: a free port), prints the address on standard error, accepts one TCP connection
and writes the received data to DST: a file, a pipe, a device, or - for standard output (the report
then goes to standard error). A file gets its name only when the sender has ended without an error.
An existing file is replaced only with --force. There is no encryption and no authentication: use
--bind with an address other than loopback only in a network that you trust.

Examples:
  moor receive 9000 big.img                  from this machine, or through a tunnel
  moor receive --bind 0.0.0.0 9000 big.img   from any machine (:: also accepts IPv6)
  moor receive --bind 10.0.0.1 0 - | tar -x)";

constexpr char kSyncHelp[] = "write the data to the storage before DST gets its name";

constexpr char kDoctorFooter[] = R"(
Shows the kernel, the engine and the limits. Creates a ring and a slab of --slab-bytes, pins the
slab, and reports the outcome and what to change. It changes nothing itself.

Examples:
  moor doctor
  moor doctor --slab-bytes 4G       check whether 4 GiB can be pinned
  moor doctor --json | jq .changes)";

// Adds a size option. AsSizeValue of CLI11 is not used: it accepts fractions and KB as 1000 bytes.
void AddSize(CLI::App& app, const std::string& name, const std::string& help,
             const std::function<void(uint64_t)>& set) {
  app.add_option_function<std::string>(
         name,
         [name, set](const std::string& text) {
           const std::optional<uint64_t> bytes = ParseSize(text);
           if (!bytes || *bytes == 0) {
             throw CLI::ValidationError(name, "'" + text +
                                                  "' is not a size: use a number of bytes above "
                                                  "0, with K, M, G or T for KiB, MiB, GiB, TiB");
           }
           set(*bytes);
         },
         help)
      ->type_name("SIZE");
}

template <typename T>
void AddChoice(CLI::App& app, const std::string& name, T& value,
               const std::vector<std::pair<std::string, T>>& choices, const std::string& help) {
  std::string names;
  for (const auto& [choice, unused] : choices) {
    names += (names.empty() ? "" : "|") + choice;
  }
  app.add_option_function<std::string>(
         name,
         [name, names, choices, &value](const std::string& text) {
           for (const auto& [choice, meaning] : choices) {
             if (choice == text) {
               value = meaning;
               return;
             }
           }
           throw CLI::ValidationError(name, "'" + text + "' is not one of " + names);
         },
         help)
      ->type_name(names);
}

void AddTransferOptions(CLI::App& app, TransferOptions& options) {
  AddChoice<mooring_engine_t>(app, "--engine", options.engine,
                              {{"auto", MOORING_ENGINE_AUTO},
                               {"io_uring", MOORING_ENGINE_IO_URING},
                               {"threads", MOORING_ENGINE_THREADS}},
                              "engine for I/O; auto (default): io_uring, else threads");
  AddChoice<mooring_policy_t>(app, "--registration", options.policy,
                              {{"prefer", MOORING_POLICY_PREFER},
                               {"require", MOORING_POLICY_REQUIRE},
                               {"never", MOORING_POLICY_NEVER}},
                              "pin as much memory as possible (default), all or fail, none");
  AddChoice<DirectMode>(
      app, "--direct", options.direct,
      {{"auto", DirectMode::kAuto}, {"on", DirectMode::kOn}, {"off", DirectMode::kOff}},
      "direct I/O; auto (default): large files that are not cached");
  AddSize(app, "--slab-bytes", "size of the slab, in whole buffers (default 64M)",
          [&options](uint64_t bytes) { options.slab_bytes = bytes; });
  AddSize(app, "--buffer-bytes", "size of a buffer, a multiple of 512 (default 1M)",
          [&options](uint64_t bytes) { options.buffer_bytes = bytes; });
  AddSize(app, "--window-bytes", "maximum of bytes in flight (default: the slab)",
          [&options](uint64_t bytes) { options.window_bytes = bytes; });
  AddChoice<DigestKind>(app, "--digest", options.digest,
                        {{"xxh64", DigestKind::kXxh64}, {"none", DigestKind::kNone}},
                        "checksum of all bytes in order (default xxh64)");
  app.add_flag("--json", options.json, "report as one JSON object");
  app.add_flag("-q,--quiet", options.quiet, "print only errors (and JSON with --json)");
  app.add_flag_callback(
      "--progress", [&options] { options.progress = true; },
      "show progress on standard error even if it is not a terminal");
  app.add_flag_callback(
      "--no-progress", [&options] { options.progress = false; }, "show no progress");
}

std::string Footer(std::string_view text) {
  return std::string(text.substr(text.front() == '\n' ? 1 : 0));
}

void AddTarget(CLI::App& app, StreamOptions& options) {
  app.add_option_function<std::string>(
         "--to",
         [&options](const std::string& text) {
           constexpr std::string_view kTcp = "tcp:";
           if (text == "null") {
             options.target = StreamTarget::kNull;
           } else if (text == "stdout") {
             options.target = StreamTarget::kStdout;
           } else if (const auto address = text.rfind(kTcp, 0) == 0
                                               ? ParseTcpAddress(text.substr(kTcp.size()))
                                               : std::nullopt) {
             options.target = StreamTarget::kTcp;
             options.address = *address;
           } else {
             throw CLI::ValidationError("--to",
                                        "'" + text + "' is not one of null|stdout|tcp:HOST:PORT");
           }
         },
         "target of the data (default null: discard)")
      ->type_name("null|stdout|tcp:HOST:PORT");
}

void AddReceive(CLI::App& app, ReceiveOptions& options) {
  CLI::App* receive = app.add_subcommand("receive", "receive a file over TCP");
  receive
      ->add_option_function<std::string>(
          "PORT",
          [&options](const std::string& text) {
            const std::optional<uint16_t> port = ParsePort(text);
            if (!port) {
              throw CLI::ValidationError("PORT", "'" + text + "' is not a number from 0 to 65535");
            }
            options.address.port = *port;
          },
          "port to listen on, 0 for a free port")
      ->required()
      ->type_name("");
  receive->add_option("DST", options.destination, "a file, a pipe, a device, - for standard output")
      ->required()
      ->type_name("");
  receive->add_option("--bind", options.address.host, "address to listen on (default 127.0.0.1)")
      ->type_name("ADDRESS");
  receive->add_flag("--force", options.force, "replace DST if it is an existing file");
  AddTransferOptions(*receive, options.common);
  receive->add_flag("--sync", options.sync, kSyncHelp);
  receive->footer(Footer(kReceiveFooter));
}

// Replaces the output of CLI11 with two lines, as for every other failure.
[[noreturn]] void ThrowUsage(const CLI::ParseError& error, const CLI::App& app) {
  std::string command = "moor";
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (!chosen.empty()) {
    command += " " + chosen.front()->get_name();
  }
  throw UsageFailure(error.what(), "see `" + command + " --help`");
}

// CLI11 parses [a,b] as a list and ++ as the end of a subcommand. Both can be file names.
std::string EscapeForCli11(const std::string& argument) {
  const bool list = argument.size() >= 2 && argument.front() == '[' && argument.back() == ']';
  return list || argument == "++" ? "./" + argument : argument;
}

struct Parsed {
  CopyOptions copy;
  StreamOptions stream;
  ReceiveOptions receive;
  DoctorOptions doctor;
};

void DescribeCommands(CLI::App& app, Parsed& parsed) {
  CLI::App* copy = app.add_subcommand("copy", "copy one file");
  copy->add_option("SRC", parsed.copy.source, "source to copy, - for standard input")
      ->required()
      ->type_name("");
  copy->add_option("DST", parsed.copy.destination, "a file, a directory, a pipe or a device")
      ->required()
      ->type_name("");
  AddTransferOptions(*copy, parsed.copy.common);
  copy->add_flag("--sync", parsed.copy.sync, kSyncHelp);
  copy->footer(Footer(kCopyFooter));

  CLI::App* stream = app.add_subcommand("stream", "read files in order");
  stream->add_option("FILE", parsed.stream.files, "files to read, - for standard input")
      ->required()
      ->type_name("");
  AddTarget(*stream, parsed.stream);
  AddTransferOptions(*stream, parsed.stream.common);
  stream->footer(Footer(kStreamFooter));

  AddReceive(app, parsed.receive);

  CLI::App* doctor =
      app.add_subcommand("doctor", "show what this machine supports, and what to change");
  AddSize(*doctor, "--slab-bytes", "size of the trial slab (default 64M)",
          [&parsed](uint64_t bytes) { parsed.doctor.slab_bytes = bytes; });
  doctor->add_flag("--json", parsed.doctor.json, "report as one JSON object");
  doctor->footer(Footer(kDoctorFooter));
}

}  // namespace

Command ParseCommandLine(int argc, const char* const* argv) {
  CLI::App app{kDescription, "moor"};
  bool version = false;
  app.add_flag("--version", version, "print the version and exit");
  app.set_help_flag("-h,--help", "print this help and exit");
  app.require_subcommand(0, 1);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("Positionals", "Arguments");
  app.footer(Footer(kFooter));
  Parsed parsed;
  DescribeCommands(app, parsed);
  for (CLI::App* command : app.get_subcommands({})) {
    command->group("Commands");
  }
  // CLI11 takes the arguments in reverse order.
  std::vector<std::string> arguments;
  for (int index = argc - 1; index > 0; --index) {
    arguments.push_back(EscapeForCli11(argv[index]));
  }
  try {
    app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    return PrintText{chosen.empty() ? app.help() : chosen.front()->help("moor")};
  } catch (const CLI::ParseError& error) {
    ThrowUsage(error, app);
  }
  if (version) {
    return PrintText{std::string("moor ") + mooring_version_string() + "\n"};
  }
  if (app.got_subcommand("copy")) {
    return parsed.copy;
  }
  if (app.got_subcommand("stream")) {
    return parsed.stream;
  }
  if (app.got_subcommand("receive")) {
    return parsed.receive;
  }
  if (app.got_subcommand("doctor")) {
    return parsed.doctor;
  }
  throw UsageFailure("no command: use copy, stream, receive or doctor", "see `moor --help`");
}

}  // namespace moor
