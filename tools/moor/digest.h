// Digest: a checksum of all bytes in the order of the file. The only user of xxHash.
//
// Lifecycle: Update in order, then Text once. Threading: one owner.
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

  // As Update with `size` zero bytes: a hole.
  void UpdateZeros(uint64_t size);

  // The XXH64 of all bytes (seed 0) as 16 hexadecimal digits, as xxhsum prints it; nothing for
  // kNone.
  std::optional<std::string> Text() const;

 private:
  XXH64_state_s* state_ = nullptr;  // nullptr: kNone
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DIGEST_H_
