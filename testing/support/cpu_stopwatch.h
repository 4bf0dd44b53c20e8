// cpu_stopwatch.h: CPU time of this process since its construction, to distinguish waiting from
// spinning. The kernel counts the SQPOLL thread as a part of the process; it is subtracted.
//
// Threading: any.
#ifndef MOORING_TESTING_SUPPORT_CPU_STOPWATCH_H_
#define MOORING_TESTING_SUPPORT_CPU_STOPWATCH_H_

#include <time.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "testing/support/proc_self.h"

namespace mooring::conformance {

class CpuStopwatch {
 public:
  std::chrono::nanoseconds Elapsed() const {
    std::chrono::nanoseconds elapsed = Now() - start_;
    for (const auto& [id, time] : KernelThreadsCpuNs()) {
      const auto before = kernel_start_.find(id);
      elapsed -=
          std::chrono::nanoseconds(time - (before == kernel_start_.end() ? 0 : before->second));
    }
    return elapsed;
  }

 private:
  static std::chrono::nanoseconds Now() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  }

  const std::map<std::string, uint64_t> kernel_start_ = KernelThreadsCpuNs();
  const std::chrono::nanoseconds start_ = Now();
};

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_CPU_STOPWATCH_H_
