// libFuzzer's entry: clang's -fsanitize=fuzzer provides the main function.
#include <signal.h>

#include "testing/fuzz/target.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  signal(SIGPIPE, SIG_IGN);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mooring::fuzz::RunOnInput(data, size);
  return 0;
}
