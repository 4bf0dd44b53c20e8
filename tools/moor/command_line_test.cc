#include "tools/moor/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/moor/failure.h"

namespace moor {
namespace {

Command Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "moor");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

TEST(CommandLine, ParsesCopyWithDefaults) {
  const auto options = std::get<CopyOptions>(Parse({"copy", "a", "b"}));
  EXPECT_EQ(options.source, "a");
  EXPECT_EQ(options.destination, "b");
  EXPECT_EQ(options.common.engine, MOORING_ENGINE_AUTO);
  EXPECT_EQ(options.common.policy, MOORING_POLICY_PREFER);
  EXPECT_EQ(options.common.direct, DirectMode::kAuto);
  EXPECT_EQ(options.common.digest, DigestKind::kXxh64);
  EXPECT_FALSE(options.common.slab_bytes || options.common.progress || options.common.json);
}

TEST(CommandLine, ParsesAllTransferOptions) {
  const auto options = std::get<StreamOptions>(Parse({"stream",
                                                      "--engine",
                                                      "threads",
                                                      "--registration=never",
                                                      "--direct",
                                                      "on",
                                                      "--slab-bytes",
                                                      "64K",
                                                      "--buffer-bytes",
                                                      "16K",
                                                      "--window-bytes",
                                                      "32K",
                                                      "--digest",
                                                      "none",
                                                      "--json",
                                                      "-q",
                                                      "--progress",
                                                      "x",
                                                      "y",
                                                      "--to",
                                                      "stdout"}));
  EXPECT_EQ(options.common.engine, MOORING_ENGINE_THREADS);
  EXPECT_EQ(options.common.policy, MOORING_POLICY_NEVER);
  EXPECT_EQ(options.common.direct, DirectMode::kOn);
  EXPECT_EQ(options.common.slab_bytes, 65536u);
  EXPECT_EQ(options.common.buffer_bytes, 16384u);
  EXPECT_EQ(options.common.window_bytes, 32768u);
  EXPECT_EQ(options.common.digest, DigestKind::kNone);
  EXPECT_TRUE(options.common.json);
  EXPECT_TRUE(options.common.quiet);
  EXPECT_EQ(options.common.progress, true);
  EXPECT_EQ(options.target, StreamTarget::kStdout);
  EXPECT_EQ(options.files, (std::vector<std::string>{"x", "y"}));
}

TEST(CommandLine, ParsesStreamTargetAndReceiveAddress) {
  const auto stream = std::get<StreamOptions>(Parse({"stream", "x", "--to", "tcp:[::1]:9000"}));
  EXPECT_EQ(stream.target, StreamTarget::kTcp);
  EXPECT_EQ(stream.address.host, "::1");
  EXPECT_EQ(stream.address.port, 9000);
  const auto receive = std::get<ReceiveOptions>(Parse({"receive", "0", "b"}));
  EXPECT_EQ(receive.address.host, "127.0.0.1") << "only local connections by default";
  EXPECT_EQ(receive.address.port, 0);
  EXPECT_EQ(receive.destination, "b");
  EXPECT_FALSE(receive.force || receive.sync);
}

TEST(CommandLine, AcceptsSpecialFileNames) {
  const auto stream = std::get<StreamOptions>(Parse({"stream", "[a,b]", "copy", "-", "++", "a b"}));
  EXPECT_EQ(stream.files, (std::vector<std::string>{"./[a,b]", "copy", "-", "./++", "a b"}));
  const auto copy = std::get<CopyOptions>(Parse({"copy", "--", "--json", "-x"}));
  EXPECT_EQ(copy.source, "--json");
  EXPECT_EQ(copy.destination, "-x");
}

TEST(CommandLine, ParsesDoctor) {
  const auto options = std::get<DoctorOptions>(Parse({"doctor", "--json", "--slab-bytes", "1G"}));
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.slab_bytes, uint64_t{1} << 30);
}

TEST(CommandLine, RejectsInvalidArguments) {
  const std::vector<std::vector<const char*>> lines = {
      {},
      {"bogus"},
      {"copy"},
      {"copy", "a"},
      {"copy", "a", "b", "c"},
      {"copy", "a", "b", "--bogus"},
      {"copy", "a", "b", "--engine", "magic"},
      {"copy", "a", "b", "--slab-bytes", "0"},
      {"copy", "a", "b", "--slab-bytes", "64KB"},
      {"copy", "a", "b", "--slab-bytes"},
      {"stream"},
      {"stream", "a", "--to", "tcp:localhost"},
      {"stream", "a", "--to", "cuda"},
      {"receive", "9000"},
      {"receive", "http", "b"},
      {"receive", "65536", "b"},
      {"doctor", "extra"},
  };
  for (const std::vector<const char*>& line : lines) {
    try {
      Parse(line);
      ADD_FAILURE() << "accepted: " << testing::PrintToString(line);
    } catch (const UsageFailure& failure) {
      EXPECT_EQ(failure.status(), kExitUsage);
      EXPECT_FALSE(failure.message().empty());
      EXPECT_NE(failure.remedy().find("--help"), std::string::npos);
    }
  }
}

TEST(CommandLine, HasHelpForEachCommand) {
  for (const char* command : {"copy", "stream", "receive", "doctor"}) {
    const std::string text = std::get<PrintText>(Parse({command, "--help"})).text;
    EXPECT_NE(text.find(std::string("moor ") + command), std::string::npos);
    EXPECT_NE(text.find("Examples:"), std::string::npos);
  }
  EXPECT_NE(std::get<PrintText>(Parse({"--help"})).text.find("doctor"), std::string::npos);
}

TEST(CommandLine, HelpFitsOneHundredColumns) {
  for (const char* command : {"copy", "stream", "receive", "doctor"}) {
    const std::string text = std::get<PrintText>(Parse({command, "-h"})).text;
    size_t begin = 0;
    for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      EXPECT_LE(end - begin, 100u) << text.substr(begin, end - begin);
    }
  }
}

TEST(CommandLine, PrintsTheLibraryVersion) {
  EXPECT_EQ(std::get<PrintText>(Parse({"--version"})).text,
            std::string("moor ") + mooring_version_string() + "\n");
}

}  // namespace
}  // namespace moor
