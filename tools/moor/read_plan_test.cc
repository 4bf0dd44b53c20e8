#include "tools/moor/read_plan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tools/moor/failure.h"
#include "tools/moor/temporary_folder.h"

namespace moor {
namespace {

constexpr uint64_t kChunk = 1000;

ReadPlan Plan(std::vector<std::string> files, bool keep_holes = false) {
  std::vector<SourcePath> paths;
  for (const std::string& file : files) {
    paths.push_back(FindSource(file));
  }
  return ReadPlan(paths,
                  {.direct = DirectMode::kOff, .keep_holes = keep_holes, .chunk_bytes = kChunk});
}

TEST(ReadPlan, DividesAFileIntoChunks) {
  const TemporaryFolder folder;
  ReadPlan plan = Plan({folder.Write("a", std::string(2500, 'x'))});
  uint64_t offset = 0;
  for (const uint64_t size : {1000u, 1000u, 500u}) {
    const std::optional<Piece> piece = plan.Next();
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->offset, offset);
    EXPECT_EQ(piece->size, size);
    EXPECT_EQ(piece->last, size == 500);
    offset += size;
  }
  EXPECT_FALSE(plan.Next());
  EXPECT_TRUE(plan.finished());
}

TEST(ReadPlan, ReadsFilesInOrderAndSkipsEmptyFiles) {
  const TemporaryFolder folder;
  const std::string a = folder.Write("a", "aa");
  const std::string empty = folder.Write("empty", "");
  const std::string b = folder.Write("b", "bbb");
  ReadPlan plan = Plan({empty, a, empty, b, empty});
  EXPECT_EQ(plan.Next()->source->name(), a);
  EXPECT_EQ(plan.Next()->source->name(), b);
  EXPECT_FALSE(plan.finished());
  EXPECT_FALSE(plan.Next());
  EXPECT_TRUE(plan.finished());
}

TEST(ReadPlan, ReturnsEachHoleAsOnePiece) {
  const TemporaryFolder folder;
  const std::string path = folder.Write("a", "");
  ASSERT_EQ(::truncate(path.c_str(), 1 << 30), 0);
  ReadPlan plan = Plan({path}, true);
  const std::optional<Piece> hole = plan.Next();
  ASSERT_TRUE(hole);
  EXPECT_TRUE(hole->hole);
  EXPECT_TRUE(hole->last);
  EXPECT_EQ(hole->size, uint64_t{1} << 30);
  EXPECT_FALSE(plan.Next());
}

TEST(ReadPlan, ReadsAPipeOnePieceAtATime) {
  const TemporaryFolder folder;
  ReadPlan plan = Plan({"/dev/null", folder.Write("a", "aa")});
  const std::optional<Piece> first = plan.Next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->size, kChunk);
  EXPECT_FALSE(plan.Next()) << "the read is in flight";
  EXPECT_FALSE(plan.finished());
  plan.SequentialReadDone(7);
  const std::optional<Piece> second = plan.Next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->offset, 7u);
  plan.SequentialReadDone(0);
  EXPECT_EQ(plan.Next()->size, 2u) << "the next file follows the end of the pipe";
}

TEST(ReadPlan, FailsAtADeletedFile) {
  const TemporaryFolder folder;
  const std::string gone = folder.Write("b", "bb");
  ReadPlan plan = Plan({folder.Write("a", "aa"), gone});
  ASSERT_EQ(::unlink(gone.c_str()), 0);
  EXPECT_TRUE(plan.Next());
  EXPECT_THROW(plan.Next(), Failure);
}

TEST(TotalBytes, CountsOnlyRegularFiles) {
  const TemporaryFolder folder;
  const SourcePath a = FindSource(folder.Write("a", "aa"));
  EXPECT_EQ(TotalBytes({a, a}), 4u);
  EXPECT_EQ(TotalBytes({a, FindSource("/dev/null")}), std::nullopt);
}

}  // namespace
}  // namespace moor
