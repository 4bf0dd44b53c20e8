// PerProcess: one T for each process. A forked child gets a new T, because the parent's entries do
// not belong to it, and because another thread of the parent may have held T's locks at the fork
// (fork(2)). A T is never freed, so it outlives all static objects.
//
// Threading: any thread; T synchronizes its own members.
//
//   constinit PerProcess<Directory> directory;
//   Directory& mine = directory.Get();
#ifndef MOORING_CPP_OS_PER_PROCESS_H_
#define MOORING_CPP_OS_PER_PROCESS_H_

#include <atomic>

#include "cpp/os/process.h"

namespace mooring {

template <typename T>
class PerProcess {
 public:
  constexpr PerProcess() = default;

  T& Get() {
    Owned* owned = current_.load(std::memory_order_acquire);
    while (owned == nullptr || owned->process != CurrentProcess()) {
      Owned* fresh = new Owned;
      if (current_.compare_exchange_strong(owned, fresh, std::memory_order_acq_rel))
        return fresh->value;
      delete fresh;
    }
    return owned->value;
  }

 private:
  struct Owned {
    const ProcessToken process = CurrentProcess();
    T value;
  };

  std::atomic<Owned*> current_{nullptr};
};

}  // namespace mooring

#endif  // MOORING_CPP_OS_PER_PROCESS_H_
