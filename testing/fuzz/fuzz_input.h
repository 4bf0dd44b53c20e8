// fuzz_input.h: the bytes of a fuzzer, read from the front; zeros after the last byte.
//
// Threading: one thread per object.
#ifndef MOORING_TESTING_FUZZ_FUZZ_INPUT_H_
#define MOORING_TESTING_FUZZ_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace mooring::fuzz {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  size_t left() const { return left_; }

  template <typename T>
  T Take() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    TakeBytes(&value, sizeof(value));
    return value;
  }
  void TakeBytes(void* out, size_t size) {
    const size_t taken = std::min(size, left_);
    if (taken > 0) std::memcpy(out, data_, taken);
    data_ += taken;
    left_ -= taken;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

}  // namespace mooring::fuzz

#endif  // MOORING_TESTING_FUZZ_FUZZ_INPUT_H_
