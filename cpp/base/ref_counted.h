// RefCounted and RefPtr: intrusive shared ownership for the few objects whose last user is not
// known beforehand (a slab that the kernel still pins, a ring with operations in flight). The count
// is in the object: a reference costs one atomic add, and a batch takes many references with one
// add.
//
//   class Slab : public RefCounted<Slab> { ... };
//   RefPtr<Slab> slab = MakeRef<Slab>(...);   // count 1
#ifndef MOORING_CPP_BASE_REF_COUNTED_H_
#define MOORING_CPP_BASE_REF_COUNTED_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "cpp/base/check.h"

namespace mooring {

// Threading: any thread. The destructor of T runs on the thread that drops the last reference.
template <typename T>
class RefCounted {
 public:
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void AddRef(uint32_t count = 1) const {
    const uint32_t before = count_.fetch_add(count, std::memory_order_relaxed);
    DCHECK(before > 0);
    (void)before;
  }
  // For a caller that has a pointer without a reference and keeps the memory from being freed.
  // False after the last reference was dropped.
  bool TryAddRef() const {
    uint32_t before = count_.load(std::memory_order_relaxed);
    while (before != 0) {
      if (count_.compare_exchange_weak(before, before + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void DropRef(uint32_t count = 1) const {
    // The release makes the writes of this thread visible to the thread that destroys the object;
    // the acquire is for that thread.
    const uint32_t before = count_.fetch_sub(count, std::memory_order_acq_rel);
    DCHECK(before >= count);
    if (before == count) delete static_cast<const T*>(this);
  }
  // The current number of references, for reports and waits. Another thread may change it any time.
  uint32_t RefCount() const { return count_.load(std::memory_order_acquire); }

 protected:
  RefCounted() = default;
  ~RefCounted() = default;

 private:
  mutable std::atomic<uint32_t> count_{1};
};

template <typename T>
class RefPtr {
 public:
  constexpr RefPtr() = default;
  constexpr RefPtr(std::nullptr_t) {}  // NOLINT: implicit, as for other pointers
  // Takes one reference over from the caller.
  static RefPtr Adopt(T* pointer) {
    RefPtr result;
    result.pointer_ = pointer;
    return result;
  }
  // Adds a reference.
  explicit RefPtr(T* pointer) : pointer_(pointer) {
    if (pointer_ != nullptr) pointer_->AddRef();
  }
  RefPtr(const RefPtr& other) : RefPtr(other.pointer_) {}
  RefPtr(RefPtr&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  RefPtr& operator=(RefPtr other) noexcept {
    std::swap(pointer_, other.pointer_);
    return *this;
  }
  ~RefPtr() { reset(); }

  void reset() {
    if (T* pointer = std::exchange(pointer_, nullptr)) pointer->DropRef();
  }
  // Passes the reference to the caller.
  T* Release() { return std::exchange(pointer_, nullptr); }
  T* get() const { return pointer_; }
  T* operator->() const { return pointer_; }
  T& operator*() const { return *pointer_; }
  explicit operator bool() const { return pointer_ != nullptr; }

 private:
  T* pointer_ = nullptr;
};

template <typename T, typename... Args>
RefPtr<T> MakeRef(Args&&... args) {
  return RefPtr<T>::Adopt(new T(std::forward<Args>(args)...));
}

}  // namespace mooring

#endif  // MOORING_CPP_BASE_REF_COUNTED_H_
