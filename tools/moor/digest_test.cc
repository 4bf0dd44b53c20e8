#include "tools/moor/digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace moor {
namespace {

// The expected values are the output of xxhsum -H1.
TEST(Digest, MatchesXxhsum) {
  EXPECT_EQ(Digest(DigestKind::kXxh64).Text(), "ef46db3751d8e999");
  Digest digest(DigestKind::kXxh64);
  digest.Update("abc", 3);
  EXPECT_EQ(digest.Text(), "44bc2cf5ad770999");
}

TEST(Digest, DoesNotDependOnTheSizeOfUpdates) {
  const std::string bytes(100'003, 'm');
  Digest whole(DigestKind::kXxh64);
  whole.Update(bytes.data(), bytes.size());
  Digest parts(DigestKind::kXxh64);
  for (size_t done = 0; done < bytes.size();) {
    const size_t part = std::min<size_t>(4097, bytes.size() - done);
    parts.Update(bytes.data() + done, part);
    done += part;
  }
  EXPECT_EQ(whole.Text(), parts.Text());
}

TEST(Digest, HoleEqualsZeros) {
  const std::string zeros(100'003, '\0');
  Digest read(DigestKind::kXxh64);
  read.Update(zeros.data(), zeros.size());
  Digest hole(DigestKind::kXxh64);
  hole.UpdateZeros(zeros.size());
  EXPECT_EQ(read.Text(), hole.Text());
}

TEST(Digest, NoneHasNoText) {
  Digest digest(DigestKind::kNone);
  digest.Update("abc", 3);
  digest.UpdateZeros(5);
  EXPECT_EQ(digest.Text(), std::nullopt);
}

}  // namespace
}  // namespace moor
