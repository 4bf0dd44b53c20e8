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
    "Moves files through memory that is pinned once (Mooring), and says which path the bytes took.";

constexpr char kFooter[] = R"(
Examples:
  moor doctor                          what this machine gives, and what to change
  moor copy model.bin /mnt/model.bin   copy a file; holes, mode and times are kept
  moor stream a.bin b.bin --json       read files as fast as may be, and report
  moor stream a.bin --to stdout | ...  feed a program
  moor receive 9000 b.bin              take a file from the network, and on the other machine:
  moor stream a.bin --to tcp:HOST:9000

`moor COMMAND --help` shows the options of a command. Sizes are numbers of bytes with an optional
K, M, G or T (times 1024). Exit status: 0 done, 1 failed, 2 wrong usage.)";

constexpr char kCopyFooter[] = R"(
SRC is a file, a pipe, a device, or - for standard input. DST is a file, a directory to copy into,
a pipe or a device. A file appears under its final name only when it is whole: until then it is a
hidden temporary file beside it, which is removed on any error and on ctrl-C. Holes, mode, times
and, where allowed, ownership are kept.

Examples:
  moor copy model.bin /mnt/models/
  moor copy --registration require big.img copy.img   fail rather than copy without pinned memory
  moor copy --slab-bytes 256M --json big.img copy.img
  producer | moor copy - result.bin)";

constexpr char kStreamFooter[] = R"(
Reads the files in order, and hands their bytes to nobody (--to null: how fast can they be read?),
to standard output, or to a TCP connection (--to tcp:HOST:PORT, IPv6 as tcp:[::1]:PORT). With --to
stdout, the report goes to standard error. What is cut short resets the connection, so that nobody
takes a part for the whole.

Examples:
  moor stream shard-*.bin                      read everything, report rate and digest
  moor stream --direct on --digest none x.bin  measure the storage and not the page cache
  moor stream x.bin --to stdout | consumer
  moor stream x.bin --to tcp:storage.local:9000     where `moor receive` or `nc -l` waits)";

constexpr char kReceiveFooter[] = R"(
Listens on PORT (0: a free one), says where on standard error, takes one TCP connection and writes
what comes into DST: a file, a pipe, a device, or - for standard output (the report then goes to
standard error). A file appears under its name only when the sender has ended well, and replaces
none unless --force is given. Bytes are taken as they come, without encryption or password: bind to
other addresses than loopback only in a network that you trust.

Examples:
  moor receive 9000 big.img                         for a sender on this machine, or a tunnel
  moor receive --bind 0.0.0.0 9000 big.img          for any machine (:: for IPv6 too)
  moor receive --bind 10.0.0.1 0 - | tar -x)";

constexpr char kSyncHelp[] = "give DST its name only once the bytes are on the storage";

constexpr char kDoctorFooter[] = R"(
Looks by trying: makes a ring and a slab of --slab-bytes, pins it, and reports what came of it.

Examples:
  moor doctor
  moor doctor --slab-bytes 4G       would four gigabytes be pinned?
  moor doctor --json | jq .changes)";

// A size option; CLI11's own AsSizeValue takes KB for 1000 and fractions, which we do not.
void AddSize(CLI::App& app, const std::string& name, const std::string& help,
             const std::function<void(uint64_t)>& set) {
  app.add_option_function<std::string>(
         name,
         [name, set](const std::string& text) {
           const std::optional<uint64_t> bytes = ParseSize(text);
           if (!bytes || *bytes == 0) {
             throw CLI::ValidationError(name, "'" + text +
                                                  "' is not a size: write a number of bytes above "
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
           throw CLI::ValidationError(name, "'" + text + "' is none of " + names);
         },
         help)
      ->type_name(names);
}

void AddCommon(CLI::App& app, TransferOptions& options) {
  AddChoice<mooring_engine_t>(app, "--engine", options.engine,
                              {{"auto", MOORING_ENGINE_AUTO},
                               {"io_uring", MOORING_ENGINE_IO_URING},
                               {"threads", MOORING_ENGINE_THREADS}},
                              "who reads and writes; auto is io_uring if it can be");
  AddChoice<mooring_policy_t>(app, "--registration", options.policy,
                              {{"prefer", MOORING_POLICY_PREFER},
                               {"require", MOORING_POLICY_REQUIRE},
                               {"never", MOORING_POLICY_NEVER}},
                              "pin what the limits allow (default), all of it or fail, nothing");
  AddChoice<DirectMode>(
      app, "--direct", options.direct,
      {{"auto", DirectMode::kAuto}, {"on", DirectMode::kOn}, {"off", DirectMode::kOff}},
      "read past the page cache; auto: large files not in it");
  AddSize(app, "--slab-bytes", "memory to use, in whole buffers (default 64M)",
          [&options](uint64_t bytes) { options.slab_bytes = bytes; });
  AddSize(app, "--buffer-bytes", "one buffer of it, a multiple of 512 (default 1M)",
          [&options](uint64_t bytes) { options.buffer_bytes = bytes; });
  AddSize(app, "--window-bytes", "bytes in flight at most (default the slab)",
          [&options](uint64_t bytes) { options.window_bytes = bytes; });
  AddChoice<DigestKind>(app, "--digest", options.digest,
                        {{"xxh64", DigestKind::kXxh64}, {"none", DigestKind::kNone}},
                        "checksum of all bytes in order (default xxh64)");
  app.add_flag("--json", options.json, "report as one JSON object");
  app.add_flag("-q,--quiet", options.quiet, "print nothing but errors (and JSON, if asked for)");
  app.add_flag_callback(
      "--progress", [&options] { options.progress = true; },
      "show progress on standard error even if it is no terminal");
  app.add_flag_callback(
      "--no-progress", [&options] { options.progress = false; }, "show no progress");
}

std::string Footer(std::string_view text) {
  return std::string(text.substr(text.front() == '\n' ? 1 : 0));
}

// null, stdout, or where to connect to.
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
                                        "'" + text + "' is none of null|stdout|tcp:HOST:PORT");
           }
         },
         "where the bytes go (default null: nowhere)")
      ->type_name("null|stdout|tcp:HOST:PORT");
}

void AddReceive(CLI::App& app, ReceiveOptions& options) {
  CLI::App* receive = app.add_subcommand("receive", "take bytes from a TCP connection");
  receive
      ->add_option_function<std::string>(
          "PORT",
          [&options](const std::string& text) {
            const std::optional<uint16_t> port = ParsePort(text);
            if (!port) {
              throw CLI::ValidationError("PORT", "'" + text + "' is no number from 0 to 65535");
            }
            options.address.port = *port;
          },
          "where to listen, 0 for a free port")
      ->required()
      ->type_name("");
  receive->add_option("DST", options.destination, "a file, a pipe, a device, - for standard output")
      ->required()
      ->type_name("");
  receive
      ->add_option("--bind", options.address.host, "the address to listen on (default 127.0.0.1)")
      ->type_name("ADDRESS");
  receive->add_flag("--force", options.force, "replace DST if it is a file that exists");
  AddCommon(*receive, options.common);
  receive->add_flag("--sync", options.sync, kSyncHelp);
  receive->footer(Footer(kReceiveFooter));
}

// CLI11 prints its own text: ours is two lines, like every other failure.
[[noreturn]] void ThrowUsage(const CLI::ParseError& error, const CLI::App& app) {
  std::string command = "moor";
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (!chosen.empty()) {
    command += " " + chosen.front()->get_name();
  }
  throw UsageFailure(error.what(), "see `" + command + " --help`");
}

// CLI11 reads [a,b] as a list of two, and ++ as the end of a command. Both are names of files too.
std::string AsItIs(const std::string& argument) {
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
  copy->add_option("SRC", parsed.copy.source, "what to copy, - for standard input")
      ->required()
      ->type_name("");
  copy->add_option("DST", parsed.copy.destination, "a file, a directory, a pipe or a device")
      ->required()
      ->type_name("");
  AddCommon(*copy, parsed.copy.common);
  copy->add_flag("--sync", parsed.copy.sync, kSyncHelp);
  copy->footer(Footer(kCopyFooter));

  CLI::App* stream = app.add_subcommand("stream", "read files in order");
  stream->add_option("FILE", parsed.stream.files, "what to read, - for standard input")
      ->required()
      ->type_name("");
  AddTarget(*stream, parsed.stream);
  AddCommon(*stream, parsed.stream.common);
  stream->footer(Footer(kStreamFooter));

  AddReceive(app, parsed.receive);

  CLI::App* doctor = app.add_subcommand("doctor", "what this machine gives, and what to change");
  AddSize(*doctor, "--slab-bytes", "size of the slab to try (default 64M)",
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
  app.footer(Footer(kFooter));
  Parsed parsed;
  DescribeCommands(app, parsed);
  // In reverse, as CLI11 takes a vector.
  std::vector<std::string> arguments;
  for (int index = argc - 1; index > 0; --index) {
    arguments.push_back(AsItIs(argv[index]));
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
  throw UsageFailure("no command was given: copy, stream, receive or doctor", "see `moor --help`");
}

}  // namespace moor
