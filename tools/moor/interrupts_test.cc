#include "tools/moor/interrupts.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include "tools/moor/descriptor.h"
#include "tools/moor/failure.h"
#include "tools/moor/temporary_folder.h"

namespace moor {
namespace {

// Runs each body in a child process, because the flag stays set after a signal.
void ExpectInChild(void (*body)(), int status) {
  EXPECT_EXIT(
      {
        body();
        ::_exit(42);
      },
      testing::ExitedWithCode(status), "");
}

TEST(Interrupts, DoesNotThrowWithoutASignal) {
  ExpectInChild(
      [] {
        InstallInterruptHandlers();
        ThrowIfInterrupted();
      },
      42);
}

TEST(Interrupts, FailureNamesTheSignal) {
  ExpectInChild(
      [] {
        InstallInterruptHandlers();
        ::raise(SIGTERM);
        try {
          ThrowIfInterrupted();
        } catch (const Failure& failure) {
          ::_exit(failure.message() == "interrupted by SIGTERM" ? failure.status() : 43);
        }
      },
      kExitFailed);
}

TEST(Interrupts, IgnoredSignalStaysIgnored) {
  ExpectInChild(
      [] {
        ::signal(SIGHUP, SIG_IGN);
        InstallInterruptHandlers();
        ::raise(SIGHUP);
        ThrowIfInterrupted();
      },
      42);
}

TEST(Interrupts, SigpipeAndSigxfszAreIgnored) {
  ExpectInChild(
      [] {
        InstallInterruptHandlers();
        ::raise(SIGPIPE);
        ::raise(SIGXFSZ);
      },
      42);
}

TEST(Interrupts, SecondSignalDeletesTheTemporaryFileAndExits) {
  const TemporaryFolder folder;
  folder.Write("temporary", "half");
  folder.Write("other", "whole");
  EXPECT_EXIT(
      {
        InstallInterruptHandlers();
        const Descriptor directory(::open(folder.Path().c_str(), O_PATH | O_DIRECTORY));
        const TemporaryFileGuard guard(directory.get(), "temporary");
        ::raise(SIGINT);
        ::raise(SIGINT);
        ::_exit(42);
      },
      testing::ExitedWithCode(kExitFailed), "");
  EXPECT_FALSE(std::filesystem::exists(folder.Path("temporary")));
  EXPECT_TRUE(std::filesystem::exists(folder.Path("other")));
}

TEST(Interrupts, SecondSignalKeepsACommittedFile) {
  const TemporaryFolder folder;
  folder.Write("committed", "whole");
  EXPECT_EXIT(
      {
        InstallInterruptHandlers();
        const Descriptor directory(::open(folder.Path().c_str(), O_PATH | O_DIRECTORY));
        { const TemporaryFileGuard guard(directory.get(), "committed"); }
        ::raise(SIGINT);
        ::raise(SIGINT);
        ::_exit(42);
      },
      testing::ExitedWithCode(kExitFailed), "");
  EXPECT_TRUE(std::filesystem::exists(folder.Path("committed")));
}

}  // namespace
}  // namespace moor
