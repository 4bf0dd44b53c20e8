#include "cpp/os/process.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace mooring::process_internal {

constinit std::atomic<std::atomic<uint64_t>*> token_cell{nullptr};

namespace {

// The greatest token drawn by this process or an ancestor. This memory is not wiped on fork, so a
// child starts with a copy.
constinit std::atomic<uint64_t> last_token{0};

// For a kernel that does not wipe pages on fork.
constinit std::atomic<uint64_t> fallback_cell{0};

void WipeFallbackCell() { fallback_cell.store(0, std::memory_order_relaxed); }

// A cell that is 0 in a fork child; null if the kernel does not support it.
std::atomic<uint64_t>* MapWipedCell(size_t page_bytes) {
  void* page =
      ::mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  // EINVAL before Linux 4.14, and in sandboxes that emulate a kernel.
  if (::madvise(page, page_bytes, MADV_WIPEONFORK) != 0) {
    ::munmap(page, page_bytes);
    return nullptr;
  }
  return new (page) std::atomic<uint64_t>(0);
}

std::atomic<uint64_t>* CellOfThisProcess() {
  std::atomic<uint64_t>* cell = token_cell.load(std::memory_order_acquire);
  if (cell != nullptr) return cell;
  const size_t page_bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  std::atomic<uint64_t>* made = MapWipedCell(page_bytes);
  const bool wiped = made != nullptr;
  if (!wiped) {
    // Two threads may both register the handler, because wiping twice does no harm. It is
    // registered before the cell is published, so a fork wipes every token. It fails only without
    // memory; without a page and without this handler, forks cannot be detected.
    (void)::pthread_atfork(nullptr, nullptr, &WipeFallbackCell);
    made = &fallback_cell;
  }
  if (token_cell.compare_exchange_strong(cell, made, std::memory_order_acq_rel)) return made;
  if (wiped) ::munmap(static_cast<void*>(made), page_bytes);
  return cell;
}

}  // namespace

ProcessToken Renew() {
  std::atomic<uint64_t>* cell = CellOfThisProcess();
  uint64_t token = cell->load(std::memory_order_acquire);
  if (token != 0) return ProcessToken{token};
  // The token is drawn before it is published. So a thread that forks after it has read a token
  // gives the child a last_token at least as great, and the child draws a greater one. A thread
  // that loses the race leaves a number unused.
  const uint64_t drawn = last_token.fetch_add(1, std::memory_order_relaxed) + 1;
  if (cell->compare_exchange_strong(token, drawn, std::memory_order_acq_rel))
    return ProcessToken{drawn};
  return ProcessToken{token};
}

}  // namespace mooring::process_internal
