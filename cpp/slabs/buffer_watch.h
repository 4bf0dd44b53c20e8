// BufferWatch: the watchers of one slab that found no free buffer and wait for a notification.
//
// Lifecycle: each Add leads to at most one notification, which also removes the watcher from the
// watch. The watch holds a reference to each watcher it contains, and Notify holds one while it
// calls OnBufferFree. So Remove does not wait: a notification that another thread has begun may
// still call OnBufferFree after Remove has returned, and the watcher exists until that call ends.
//
// Threading: any thread. OnBufferFree is called without a lock of the watch, so it may call Add,
// Remove and Notify. No notification is lost: a watcher looks for a buffer once more after Add, and
// the thread that returns a buffer reads any() after that; one of the two sees the other.
//
//   watch.Add(watcher);                            // no buffer was free
//   if (slab->Acquire(1, &lease).ok()) ...         // one was returned before Add
//   ...
//   if (watch.any()) [[unlikely]] watch.Notify();  // after a buffer was returned
#ifndef MOORING_CPP_SLABS_BUFFER_WATCH_H_
#define MOORING_CPP_SLABS_BUFFER_WATCH_H_

#include <atomic>
#include <cstdint>

#include "cpp/base/ref_counted.h"
#include "cpp/base/thread_annotations.h"

namespace mooring {

class BufferWatcher : public RefCounted<BufferWatcher> {
 public:
  // A buffer may be free. Called on the thread that returned it, without a lock of the watch; on
  // several threads at the same time if the watcher is added again during a call.
  virtual void OnBufferFree() = 0;
  virtual ~BufferWatcher() = default;

 protected:
  BufferWatcher() = default;

 private:
  friend class BufferWatch;
  BufferWatcher* next_ = nullptr;  // guarded by the mutex of the watch, like is_watching_
  bool is_watching_ = false;
};

class BufferWatch {
 public:
  BufferWatch() = default;
  ~BufferWatch();
  BufferWatch(const BufferWatch&) = delete;
  BufferWatch& operator=(const BufferWatch&) = delete;

  // A watcher belongs to one watch at a time. Adding it twice is the same as adding it once.
  void Add(BufferWatcher* watcher);
  void Remove(BufferWatcher* watcher);

  // seq_cst, like the store in Add and like the operations of FreeBitmap that return a buffer or
  // find none. In the single order of these operations, either the watcher's second look follows
  // the return of the buffer, or this load follows Add.
  bool any() const { return count_.load(std::memory_order_seq_cst) != 0; }
  // Notifies as many watchers as the watch contains at the start, so it ends although watchers are
  // added again during the call. Each watcher that was added before the call is notified by this
  // call or by a concurrent one.
  void Notify();

 private:
  // The watcher that was added first, with the reference of the watch; null if there is none.
  RefPtr<BufferWatcher> TakeFirst();

  Mutex mutex_;
  BufferWatcher* first_ GUARDED_BY(mutex_) = nullptr;
  BufferWatcher** end_ GUARDED_BY(mutex_) = &first_;  // the null link at the end of the list
  std::atomic<uint32_t> count_{0};                    // written under mutex_
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_BUFFER_WATCH_H_
