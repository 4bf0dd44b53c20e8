#include "cpp/slabs/buffer_watch.h"

namespace mooring {

void BufferWatch::Add(BufferWatcher* watcher) {
  MutexLock lock(mutex_);
  if (!watcher->watches_) {
    watcher->watches_ = true;
    watcher->next_ = first_;
    first_ = watcher;
  }
  any_.store(true, std::memory_order_seq_cst);
}

void BufferWatch::Remove(BufferWatcher* watcher) {
  MutexLock lock(mutex_);
  for (BufferWatcher** link = &first_; *link != nullptr; link = &(*link)->next_) {
    if (*link != watcher) continue;
    *link = watcher->next_;
    break;
  }
  watcher->watches_ = false;
  any_.store(first_ != nullptr, std::memory_order_seq_cst);
}

void BufferWatch::Tell() {
  MutexLock lock(mutex_);
  any_.store(false, std::memory_order_seq_cst);
  while (first_ != nullptr) {
    BufferWatcher* const watcher = first_;
    first_ = watcher->next_;
    watcher->watches_ = false;
    watcher->OnBufferFree();
  }
}

}  // namespace mooring
