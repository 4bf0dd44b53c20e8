// Digest: a checksum of all bytes in file order. The only user of xxHash.
//
// Lifecycle: call Update in order, then Text once. Threading: one owner.
//
//   Digest digest(DigestKind::kXxh64);
//   digest.Update(data, size);
//   std::optional<std::string> text = digest.Text();  // "44bc2cf5ad770999"
#ifndef MOORING_TOOLS_MOOR_DIGEST_H_
#define MOORING_TOOLS_MOOR_DIGEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tools/moor/options.h"

struct XXH64_state_s;

namespace moor {

class Digest {
 public:
  explicit Digest(DigestKind kind);
  ~Digest();

  void Update(const void* data, uint64_t size);

  // The same as Update with `size` zero bytes, for a hole.
  void UpdateZeros(uint64_t size);

  // The XXH64 (seed 0) of all bytes as 16 hexadecimal digits, as xxhsum prints it. Nothing for
  // kNone.
  std::optional<std::string> Text() const;

 private:
  XXH64_state_s* state_ = nullptr;  // nullptr for kNone
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DIGEST_H_
