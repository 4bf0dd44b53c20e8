// NoTags: the kernel does not report that it has released a slot. The library releases the memory
// when it clears the slot, which is after the last operation on it, and not before (rule 1).

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

class NoTags : public DataTest {};

CONFORMANCE_TEST(NoTags, FeaturesHaveUpdatesWithoutTags, kPinned | kNoTags) {
  mooring_facts_t facts{};
  facts.struct_size = sizeof facts;
  ASSERT_OK(mooring_facts_get(&facts));
  EXPECT_EQ(facts.features & MOORING_FEATURE_BUFFER_TAGS, 0u);
  EXPECT_NE(facts.features & MOORING_FEATURE_BUFFER_UPDATE, 0u);
}

CONFORMANCE_TEST(NoTags, Rule1ADestroyedRegistrationReleasesItsMemory, kPinned | kNoTags) {
  const Slab slab = CreateSlab();
  const uint64_t before = Info(slab).kernel_reference_count;
  Registration registration = Register(ring_, slab);
  EXPECT_GT(Info(slab).kernel_reference_count, before);
  registration.reset();
  EXPECT_EQ(Info(slab).kernel_reference_count, before) << "there is no report to wait for";
}

CONFORMANCE_TEST(NoTags, Rule1AnOperationInFlightKeepsSlotAndMemory, kPinned | kNoTags) {
  const Pipe pipe;
  const Slab slab = CreateSlab();
  const uint64_t before = Info(slab).kernel_reference_count;
  Registration registration = Register(ring_, slab);
  Submit(ring_, {ReadStream(pipe.read_fd(), InSlab(registration.get(), 0), 512)});
  registration.reset();
  EXPECT_GT(Info(slab).kernel_reference_count, before);
  const std::vector<std::byte> sent = Pattern(53, 0, 512);
  pipe.Write(sent.data(), sent.size());
  const mooring_completion_t read = Reap(ring_, 1).front();
  EXPECT_EQ(read.result, 512);
  EXPECT_EQ(read.path, MOORING_PATH_FIXED);
  EXPECT_TRUE(HasPattern(Data(slab), 53, 0, 512));
  EXPECT_EQ(Info(slab).kernel_reference_count, before);
}

}  // namespace
}  // namespace mooring::conformance
