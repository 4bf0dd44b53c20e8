#include "cpp/os/prefault.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>
#include <vector>

#include "cpp/base/checked.h"
#include "cpp/base/format.h"
#include "cpp/os/kernel.h"
#include "cpp/os/numa.h"
#include "cpp/os/pages.h"
#include "cpp/os/residency.h"

// linux/mman.h, Linux 5.14; older headers lack it.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace mooring {
namespace {

// The unit of work of a thread: half a millisecond of faults on base pages. It is a multiple of
// every common size of huge pages, so two threads never fault the same huge page.
constexpr uint64_t kChunkBytes = 8 << 20;
// For less than this, a thread costs more time than it saves.
constexpr uint64_t kBytesPerThread = 16 << 20;
// With this many threads memory bandwidth is the limit. More threads only add contention for the
// lock of the address space.
constexpr uint32_t kThreadCountMax = 16;
constexpr size_t kStackBytes = 256 << 10;

// Faults in one page for writing. FUTEX_WAKE_OP (futex(2)) makes the kernel do an atomic OR with 0,
// which changes no byte, also while other threads write there. It returns EFAULT where a store by
// this process would cause SIGSEGV or SIGBUS. It may wake a waiter of a futex at this address;
// futex waiters must expect such wakeups.
int PrefaultPage(uint64_t address) {
  uint32_t futex_without_waiters = 0;
  // Wakes waiters at the page's first word only if its value was -2048, the least likely value that
  // the field can contain.
  constexpr uint32_t kOrZero = FUTEX_OP(static_cast<uint32_t>(FUTEX_OP_OR), 0u,
                                        static_cast<uint32_t>(FUTEX_OP_CMP_EQ), 0x800u);
  while (::syscall(SYS_futex, &futex_without_waiters, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0,
                   nullptr, reinterpret_cast<uint32_t*>(address), kOrZero) < 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

int PrefaultPages(uint64_t begin, uint64_t end, uint64_t page_bytes) {
  for (uint64_t at = begin; at < end; at = AlignDown(at, page_bytes) + page_bytes) {
    if (const int error = PrefaultPage(at)) return error;
  }
  return 0;
}

int Populate(uint64_t begin, uint64_t end) {
  while (::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

// The state that the threads of one Prefault call share.
class Job {
 public:
  explicit Job(const PrefaultOptions& options)
      : page_bytes_(options.page_bytes == 0 ? PageBytes() : options.page_bytes),
        chunk_bytes_(std::max(kChunkBytes, page_bytes_)),
        // The start of the base page, which is mapped also if the range starts inside a huge page.
        begin_(AlignDown(reinterpret_cast<uintptr_t>(options.range.data()), PageBytes())),
        end_(reinterpret_cast<uintptr_t>(options.range.data()) + options.range.size()),
        numa_node_(options.numa_node),
        asked_(options.method),
        method_(options.method == PrefaultMethod::kPerPage ? PrefaultMethod::kPerPage
                                                           : PrefaultMethod::kPopulate) {}

  uint64_t chunk_count() const {
    return (end_ - AlignDown(begin_, chunk_bytes_) + chunk_bytes_ - 1) / chunk_bytes_;
  }
  bool Failed() const { return failed_.load(std::memory_order_relaxed); }
  int error() const { return error_; }
  int placement_error() const { return placement_error_.load(std::memory_order_relaxed); }
  PrefaultMethod method() const { return method_.load(std::memory_order_relaxed); }

  void MoveToNode() {
    if (numa_node_ < 0) return;
    const Status moved = RunOnNode(static_cast<uint32_t>(numa_node_));
    if (!moved.ok()) placement_error_.store(moved.system_error(), std::memory_order_relaxed);
  }

  // Takes chunks until none is left or one has failed.
  void Work() {
    const uint64_t first = AlignDown(begin_, chunk_bytes_);
    const uint64_t count = chunk_count();
    while (!Failed()) {
      const uint64_t chunk = next_.fetch_add(1, std::memory_order_relaxed);
      if (chunk >= count) return;
      const uint64_t start = first + chunk * chunk_bytes_;
      const int error =
          PrefaultChunk(std::max(start, begin_), std::min(start + chunk_bytes_, end_));
      // Only one thread writes error_, and pthread_join(3) publishes the write.
      if (error != 0 && !failed_.exchange(true, std::memory_order_relaxed)) error_ = error;
    }
  }

 private:
  int PrefaultChunk(uint64_t begin, uint64_t end) {
    if (method() == PrefaultMethod::kPopulate) {
      const int error = Populate(begin, end);
      // EINVAL: not known to this kernel, or not allowed for this memory (madvise(2)). kPerPage
      // distinguishes the two.
      if (error != EINVAL || asked_ == PrefaultMethod::kPopulate) return error;
      method_.store(PrefaultMethod::kPerPage, std::memory_order_relaxed);
    }
    return PrefaultPages(begin, end, page_bytes_);
  }

  const uint64_t page_bytes_;
  const uint64_t chunk_bytes_;
  const uint64_t begin_;
  const uint64_t end_;
  const int32_t numa_node_;
  const PrefaultMethod asked_;
  std::atomic<PrefaultMethod> method_;
  std::atomic<uint64_t> next_{0};
  std::atomic<bool> failed_{false};
  std::atomic<int> placement_error_{0};
  int error_ = 0;
};

void* RunThread(void* argument) {
  Job& job = *static_cast<Job*>(argument);
  job.MoveToNode();
  job.Work();
  return nullptr;
}

// Starts up to `count` threads. Stops at the first failure, and reports its errno.
struct StartedThreads {
  std::vector<pthread_t> threads;
  int32_t error = 0;  // of the first that could not be started
};
StartedThreads StartThreads(Job& job, uint32_t count) {
  StartedThreads started;
  if (count == 0) return started;
  started.threads.reserve(count);
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) return started;
  (void)::pthread_attr_setstacksize(&attributes,
                                    kStackBytes);  // on failure the default size is used
  // A new thread inherits the mask, so the caller's signal handlers never run on these threads.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  while (started.threads.size() < count && started.error == 0) {
    pthread_t thread;
    started.error = ::pthread_create(&thread, &attributes, &RunThread, &job);
    if (started.error == 0) started.threads.push_back(thread);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return started;
}

uint32_t ThreadCount(const PrefaultOptions& options, const Job& job) {
  uint64_t count = options.thread_count;
  if (count == 0) {
    count = std::min<uint64_t>(
        {UsableCpuCount(), kThreadCountMax, options.range.size() / kBytesPerThread});
  }
  return static_cast<uint32_t>(
      std::clamp<uint64_t>(count, 1, std::max<uint64_t>(job.chunk_count(), 1)));
}

Status PrefaultError(int error, const PrefaultOptions& options, PrefaultMethod method) {
  const std::string what = Format("cannot prefault %s", FormatBytes(options.range.size()).c_str());
  const Result<uint64_t> resident = ResidentBytes(options.range);
  if (!resident.ok() && resident.status().system_error() == ENOMEM) {
    return Status(Code::kInvalidArgument, Retry::kNever, what + ": part of it is not mapped",
                  "pass only memory that is mapped", error);
  }
  if (error == EINVAL && method == PrefaultMethod::kPopulate) {
    return Status(
        Code::kUnsupported, Retry::kNever,
        what + ": this kernel does not support MADV_POPULATE_WRITE, or not for this memory",
        "use PrefaultMethod::kPerPage", error);
  }
  if (error == EFAULT && options.page_bytes > PageBytes()) {
    return Status(
        Code::kExhausted, Retry::kAfterRemedy,
        what + Format(": no huge page of %s is free on the NUMA nodes that the range may use",
                      FormatBytes(options.page_bytes).c_str()),
        "raise nr_hugepages of that NUMA node (/sys/devices/system/node/node*/hugepages) "
        "or hugetlb.max of the control group, or use base pages",
        error);
  }
  if (error == EFAULT) {
    return Status(Code::kInvalidArgument, Retry::kNever,
                  what + ": part of it cannot be written (read-only, or past the end of a file)",
                  "pass only memory that can be written", error);
  }
  if (error == EHWPOISON) {
    return Status(Code::kIo, Retry::kNever, what + ": the memory under it has failed",
                  "replace the memory", error);
  }
  return ErrnoStatus(error, what, "free memory, or ask for less");
}

}  // namespace

Status Prefault(const PrefaultOptions& options, PrefaultReport* out_report) {
  if (out_report != nullptr) *out_report = PrefaultReport();
  if (options.page_bytes != 0 && !IsPowerOfTwo(options.page_bytes)) {
    return InvalidArgument(Format("page_bytes is %s, which is not a power of two",
                                  FormatBytes(options.page_bytes).c_str()),
                           "pass a power of two, or 0 for base pages");
  }
  if (options.numa_node >= 0) RETURN_IF_ERROR(CheckNode(static_cast<uint32_t>(options.numa_node)));
  if (options.range.empty()) return OkStatus();

  Job job(options);
  const uint32_t count = ThreadCount(options, job);
  // With a node, the calling thread does not move, and works only if no thread could be started.
  const bool stay = options.numa_node >= 0;
  const StartedThreads started = StartThreads(job, stay ? count : count - 1);
  const bool help = !stay || started.threads.empty();
  if (help) job.Work();
  for (const pthread_t thread : started.threads) ::pthread_join(thread, nullptr);

  if (out_report != nullptr) {
    out_report->thread_count = static_cast<uint32_t>(started.threads.size()) + (help ? 1 : 0);
    out_report->thread_error = started.error;
    out_report->placement_error = job.placement_error();
    out_report->method = job.method();
  }
  if (job.Failed()) return PrefaultError(job.error(), options, job.method());
  return OkStatus();
}

}  // namespace mooring
