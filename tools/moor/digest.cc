#include "tools/moor/digest.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <new>

namespace moor {
namespace {

// Small enough to stay in the L1 cache while a hole of gigabytes is hashed.
constexpr size_t kZeroBytes = 16 << 10;
constexpr std::array<char, kZeroBytes> kZeros = {};

}  // namespace

Digest::Digest(DigestKind kind) {
  if (kind == DigestKind::kNone) {
    return;
  }
  state_ = XXH64_createState();
  if (state_ == nullptr) {
    throw std::bad_alloc();
  }
  XXH64_reset(state_, 0);
}

Digest::~Digest() { XXH64_freeState(state_); }

void Digest::Update(const void* data, uint64_t size) {
  if (state_ != nullptr) {
    XXH64_update(state_, data, size);
  }
}

void Digest::UpdateZeros(uint64_t size) {
  while (state_ != nullptr && size > 0) {
    const uint64_t part = std::min<uint64_t>(size, kZeros.size());
    XXH64_update(state_, kZeros.data(), part);
    size -= part;
  }
}

std::optional<std::string> Digest::Text() const {
  if (state_ == nullptr) {
    return std::nullopt;
  }
  std::array<char, 17> text;
  std::snprintf(text.data(), text.size(), "%016" PRIx64, XXH64_digest(state_));
  return text.data();
}

}  // namespace moor
