#include "cpp/os/thread_token.h"

#include <atomic>

namespace mooring {
namespace {

constinit std::atomic<uint64_t> last_token{0};
constinit thread_local uint64_t own_token = 0;  // 0: not drawn yet

}  // namespace

ThreadToken CurrentThread() {
  if (own_token == 0) [[unlikely]] {
    own_token = last_token.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  return ThreadToken{own_token};
}

}  // namespace mooring
