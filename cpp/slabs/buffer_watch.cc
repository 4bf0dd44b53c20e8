#include "cpp/slabs/buffer_watch.h"

namespace mooring {

BufferWatch::~BufferWatch() {
  while (TakeFirst()) {
  }
}

void BufferWatch::Add(BufferWatcher* watcher) {
  MutexLock lock(mutex_);
  if (watcher->is_watching_) return;
  watcher->is_watching_ = true;
  watcher->next_ = nullptr;
  *end_ = RefPtr<BufferWatcher>(watcher).Release();
  end_ = &watcher->next_;
  count_.fetch_add(1, std::memory_order_seq_cst);
}

void BufferWatch::Remove(BufferWatcher* watcher) {
  RefPtr<BufferWatcher> removed;  // the reference is dropped after the lock
  MutexLock lock(mutex_);
  if (!watcher->is_watching_) return;
  BufferWatcher** link = &first_;
  while (*link != watcher) link = &(*link)->next_;
  *link = watcher->next_;
  if (end_ == &watcher->next_) end_ = link;
  watcher->is_watching_ = false;
  count_.fetch_sub(1, std::memory_order_seq_cst);
  removed = RefPtr<BufferWatcher>::Adopt(watcher);
}

RefPtr<BufferWatcher> BufferWatch::TakeFirst() {
  MutexLock lock(mutex_);
  BufferWatcher* const watcher = first_;
  if (watcher == nullptr) return nullptr;
  first_ = watcher->next_;
  if (first_ == nullptr) end_ = &first_;
  watcher->is_watching_ = false;
  count_.fetch_sub(1, std::memory_order_seq_cst);
  return RefPtr<BufferWatcher>::Adopt(watcher);
}

void BufferWatch::Notify() {
  for (uint32_t left = count_.load(std::memory_order_seq_cst); left > 0; --left) {
    const RefPtr<BufferWatcher> watcher = TakeFirst();
    if (!watcher) return;
    watcher->OnBufferFree();
  }
}

}  // namespace mooring
