// moor: the command line tool of Mooring. Its manual is docs/MOOR.md.
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

// Always prints two lines: the message and the remedy.
int PrintFailure(const char* message, const char* remedy, int status) {
  std::fprintf(stderr, "moor: %s\nremedy: %s\n", message, remedy);
  return status;
}

// If a standard stream is closed when the program starts, the next file that is opened gets its
// number, and the report would go into the copy. So each closed standard stream is opened on
// /dev/null in the wrong direction: its use fails with EBADF.
void OpenClosedStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0) {
      // open(2) returns the lowest free number, which is `fd`.
      [[maybe_unused]] const int opened =
          ::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
  }
}

int Main(int argc, char** argv) {
  OpenClosedStandardStreams();
  InstallInterruptHandlers();
  try {
    Run(ParseCommandLine(argc, argv));
    return kExitSuccess;
  } catch (const BrokenPipe& failure) {
    return failure.status();
  } catch (const Failure& failure) {
    return PrintFailure(failure.message().c_str(), failure.remedy().c_str(), failure.status());
  } catch (const std::bad_alloc&) {
    return PrintFailure("out of memory", "free memory on this machine or in this control group",
                        kExitFailed);
  } catch (const std::exception& error) {
    return PrintFailure(error.what(), "please report this error: it needs a better message",
                        kExitFailed);
  }
}

}  // namespace
}  // namespace moor

int main(int argc, char** argv) { return moor::Main(argc, argv); }
