// moor: the command line of Mooring. docs/MOOR.md is its manual.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <new>
#include <type_traits>
#include <variant>

#include "tools/moor/command_line.h"
#include "tools/moor/copy.h"
#include "tools/moor/doctor.h"
#include "tools/moor/failure.h"
#include "tools/moor/interrupts.h"
#include "tools/moor/receive.h"
#include "tools/moor/report.h"
#include "tools/moor/stream.h"

namespace moor {
namespace {

void Run(const Command& command) {
  std::visit(
      [](const auto& options) {
        using Options = std::decay_t<decltype(options)>;
        if constexpr (std::is_same_v<Options, CopyOptions>) {
          RunCopy(options);
        } else if constexpr (std::is_same_v<Options, StreamOptions>) {
          RunStream(options);
        } else if constexpr (std::is_same_v<Options, ReceiveOptions>) {
          RunReceive(options);
        } else if constexpr (std::is_same_v<Options, DoctorOptions>) {
          RunDoctor(options);
        } else {
          PrintAll(STDOUT_FILENO, options.text);
        }
      },
      command);
}

// Two lines, always: what happened, and what to do about it.
int Complain(const char* message, const char* remedy, int status) {
  std::fprintf(stderr, "moor: %s\nremedy: %s\n", message, remedy);
  return status;
}

// A program that is started with a standard stream closed gets its number for the next file that it
// opens, and would then write its report into the copy. Whoever uses one of these gets EBADF
// instead, as he should.
void TakeClosedStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) {
      // The lowest free number is this one.
      [[maybe_unused]] const int taken =
          ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

int Main(int argc, char** argv) {
  TakeClosedStandardStreams();
  InstallInterruptHandlers();
  try {
    Run(ParseCommandLine(argc, argv));
    return kExitSuccess;
  } catch (const ReaderGone& failure) {
    return failure.status();
  } catch (const Failure& failure) {
    return Complain(failure.message().c_str(), failure.remedy().c_str(), failure.status());
  } catch (const std::bad_alloc&) {
    return Complain("out of memory", "free memory on this machine or in this control group",
                    kExitFailed);
  } catch (const std::exception& error) {
    return Complain(error.what(), "please report this: it should have had a better message",
                    kExitFailed);
  }
}

}  // namespace
}  // namespace moor

int main(int argc, char** argv) { return moor::Main(argc, argv); }
