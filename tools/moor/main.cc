// moor: the command line of Mooring. docs/MOOR.md is its manual.
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

int Main(int argc, char** argv) {
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
