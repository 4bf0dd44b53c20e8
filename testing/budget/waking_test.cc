// Two slabs where the memlock limit has room for one: the second waits on the copy path, and what
// the first one's destruction gives back is pinned for it by that very call.

#include <gtest/gtest.h>
#include <mooring/mooring.h>

#include <functional>
#include <string>
#include <thread>

#include "testing/budget/limited_child.h"
#include "testing/budget/objects.h"
#include "testing/support/eventually.h"
#include "testing/support/files.h"
#include "testing/support/pattern.h"

namespace mooring::conformance {
namespace {

constexpr uint64_t kBuffer = 64 << 10;
constexpr uint64_t kBufferCount = 16;
constexpr uint64_t kSlab = kBuffer * kBufferCount;

struct Objects {
  Ring first_ring;
  Ring second_ring;
  Slab first_slab;
  Slab second_slab;
  Registration first;
  Registration second;

  // The second waits, and reads take the copy path. `flags` are the second ring's.
  std::string Make(uint64_t others_bytes, uint32_t flags) {
    first_ring = CreateRing(16);
    second_ring = CreateRing(16, flags);
    first_slab = CreateSlab(kBuffer, kBufferCount);
    second_slab = CreateSlab(kBuffer, kBufferCount);
    if (!first_ring || !second_ring || !first_slab || !second_slab) return "no objects";
    std::string wrong = SetSoftMemlock(others_bytes + ChargedBytes() + kSlab);
    if (!wrong.empty()) return wrong;
    first = Register(first_ring, first_slab);
    second = Register(second_ring, second_slab);
    if (Info(first).outcome != MOORING_OUTCOME_FIXED) return Info(first).message;
    if (Info(second).outcome == MOORING_OUTCOME_FIXED) return "there is room for both";
    return Info(second).reason == MOORING_REASON_MEMLOCK_LIMIT ? "" : "waits for something else";
  }

  std::string ReadOn(mooring_path_t path) {
    const TempDir dir;
    const Fd file = dir.Create("data", Pattern(64, 0, 4096));
    const mooring_completion_t read =
        RunOne(second_ring, Read(file.get(), 0, InSlab(second.get(), kSlab - 4096), 4096));
    if (read.result != 4096) return "a read gave " + std::to_string(read.result);
    if (read.path != path) return "a read took path " + std::to_string(read.path);
    const auto* data = static_cast<std::byte*>(mooring_slab_data(second_slab.get(), {}));
    return HasPattern(data + kSlab - 4096, 64, 0, 4096) ? "" : "a read brought other bytes";
  }

  // The budget may be late: up to 6.3 it is, and then it takes a promote.
  std::string ExpectFixed() {
    const bool fixed = Eventually([&] {
      if (Info(second).outcome == MOORING_OUTCOME_FIXED) return true;
      mooring_error_destroy(mooring_registration_promote(second.get()));
      return false;
    });
    return fixed ? ReadOn(MOORING_PATH_FIXED) : Info(second).message;
  }
};

void ExpectNoComplaint(const std::function<std::string(uint64_t others_bytes)>& body) {
  const ChildResult child = RunWithoutExemption(body);
  EXPECT_EQ(child.complaint, "");
  EXPECT_TRUE(child.exited);
}

// Budget of a slot that is cleared is back at once where clones are known (6.13; measured on 6.12).
bool ReturnsAtOnce() {
  mooring_facts_t facts{};
  facts.struct_size = sizeof facts;
  mooring_error_destroy(mooring_facts_get(&facts));
  return (facts.features & MOORING_FEATURE_CLONE_BUFFERS) != 0;
}

TEST(Waking, ARegistrationThatGoesLetsInOneThatWaits) {
  ExpectNoComplaint([](uint64_t others_bytes) {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, 0);
    if (wrong.empty()) wrong = objects.ReadOn(MOORING_PATH_COPY);
    objects.first.reset();
    const bool late = ReturnsAtOnce() && Info(objects.second).outcome != MOORING_OUTCOME_FIXED;
    if (wrong.empty() && late) wrong = "not woken by the call that gave back";
    return wrong.empty() ? objects.ExpectFixed() : wrong;
  });
}

TEST(Waking, ARingThatGoesLetsInOneThatWaits) {
  ExpectNoComplaint([](uint64_t others_bytes) {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, 0);
    objects.first_ring.reset();
    const bool late = ReturnsAtOnce() && Info(objects.second).outcome != MOORING_OUTCOME_FIXED;
    if (wrong.empty() && late) wrong = "not woken by the call that gave back";
    return wrong.empty() ? objects.ExpectFixed() : wrong;
  });
}

TEST(Waking, ASlabThatIsClosedLetsInOneThatWaits) {
  ExpectNoComplaint([](uint64_t others_bytes) -> std::string {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, 0);
    if (!wrong.empty()) return wrong;
    objects.first.reset();
    mooring_error_t* error = mooring_slab_close(objects.first_slab.get(), kPatienceNs);
    if (error != nullptr) return mooring_error_message(error);
    objects.first_slab.reset();
    return objects.ExpectFixed();
  });
}

// By itself: the owner only uses his ring.
TEST(Waking, AnOwnersRingIsPromotedByItsOwnersNextCall) {
  ExpectNoComplaint([](uint64_t others_bytes) -> std::string {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, MOORING_RING_OWNER_THREAD);
    if (!wrong.empty()) return wrong;
    std::thread([&] { objects.first.reset(); }).join();
    if (Info(objects.second).outcome == MOORING_OUTCOME_FIXED) return "promoted off its thread";
    RunOne(objects.second_ring, Nop());
    if (ReturnsAtOnce() && Info(objects.second).outcome != MOORING_OUTCOME_FIXED) {
      return "the owner's call did not promote";
    }
    return objects.ExpectFixed();
  });
}

TEST(Waking, PromoteFromAnotherThreadIsDoneByTheOwnersNextCall) {
  ExpectNoComplaint([](uint64_t others_bytes) -> std::string {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, MOORING_RING_OWNER_THREAD);
    if (wrong.empty()) wrong = SetSoftMemlock(others_bytes + ChargedBytes() + 2 * kSlab);
    if (!wrong.empty()) return wrong;
    bool accepted = false;
    std::thread([&] {
      mooring_error_t* error = mooring_registration_promote(objects.second.get());
      accepted = error == nullptr;
      mooring_error_destroy(error);
    }).join();
    if (!accepted) return "refused off its thread";
    if (Info(objects.second).outcome == MOORING_OUTCOME_FIXED) return "promoted off its thread";
    RunOne(objects.second_ring, Nop());
    if (Info(objects.second).outcome != MOORING_OUTCOME_FIXED) return Info(objects.second).message;
    return objects.ReadOn(MOORING_PATH_FIXED);
  });
}

}  // namespace
}  // namespace mooring::conformance
