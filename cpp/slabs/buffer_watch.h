// BufferWatch: those who found no buffer of a slab free, and want to be told when one may be.
//
// Lifecycle: a watcher is told once for each Add, and removed by that; it removes itself before it
// goes.
//
// Threading: any thread. Nobody is missed: a watcher looks once more after Add, and whoever gives
// buffers back asks any() after that; one of the two sees the other.
//
//   watch.Add(this);                            // no buffer was free
//   if (slab->Acquire(1, &lease).ok()) ...      // one came between
//   ...
//   if (watch.any()) [[unlikely]] watch.Tell(); // after buffers were given back
#ifndef MOORING_CPP_SLABS_BUFFER_WATCH_H_
#define MOORING_CPP_SLABS_BUFFER_WATCH_H_

#include <atomic>

#include "cpp/base/thread_annotations.h"

namespace mooring {

class BufferWatcher {
 public:
  // A buffer may be free. On any thread, within the call that gave it back, and with the watch
  // locked.
  virtual void OnBufferFree() = 0;

 protected:
  BufferWatcher() = default;
  virtual ~BufferWatcher() = default;

 private:
  friend class BufferWatch;
  BufferWatcher* next_ = nullptr;
  bool watches_ = false;
};

class BufferWatch {
 public:
  void Add(BufferWatcher* watcher);
  void Remove(BufferWatcher* watcher);

  // seq_cst, like Add, and like what FreeBitmap does where it gives back and where it finds
  // nothing: in the one order of all these, either the watcher's second look comes after the
  // return, or this comes after Add.
  bool any() const { return any_.load(std::memory_order_seq_cst); }
  void Tell();

 private:
  Mutex mutex_;
  BufferWatcher* first_ GUARDED_BY(mutex_) = nullptr;
  std::atomic<bool> any_{false};
};

}  // namespace mooring

#endif  // MOORING_CPP_SLABS_BUFFER_WATCH_H_
