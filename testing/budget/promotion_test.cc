// Two slabs where the memlock limit has room for one. The second registration waits on the copy
// path. The call that destroys the first pins the second with the returned budget.

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

  // Creates all objects and checks that the second registration waits, with reads on the copy path.
  // `flags` are the second ring's.
  std::string Make(uint64_t others_bytes, uint32_t flags) {
    first_ring = CreateRing(16);
    second_ring = CreateRing(16, flags);
    first_slab = CreateSlab(kBuffer, kBufferCount);
    second_slab = CreateSlab(kBuffer, kBufferCount);
    if (!first_ring || !second_ring || !first_slab || !second_slab)
      return "cannot create the rings or the slabs";
    std::string wrong = SetSoftMemlock(others_bytes + ChargedBytes() + kSlab);
    if (!wrong.empty()) return wrong;
    first = Register(first_ring, first_slab);
    second = Register(second_ring, second_slab);
    if (Info(first).outcome != MOORING_OUTCOME_FIXED) return Info(first).message;
    if (Info(second).outcome == MOORING_OUTCOME_FIXED) return "the limit has room for both slabs";
    return Info(second).reason == MOORING_REASON_MEMLOCK_LIMIT
               ? ""
               : "waits for another reason than memlock";
  }

  std::string ReadOn(mooring_path_t path) {
    const TempDir dir;
    const Fd file = dir.Create("data", Pattern(64, 0, 4096));
    const mooring_completion_t read =
        RunOne(second_ring, Read(file.get(), 0, InSlab(second.get(), kSlab - 4096), 4096));
    if (read.result != 4096) return "a read returned " + std::to_string(read.result);
    if (read.path != path) return "a read took path " + std::to_string(read.path);
    const auto* data = static_cast<std::byte*>(mooring_slab_data(second_slab.get(), {}));
    return HasPattern(data + kSlab - 4096, 64, 0, 4096) ? "" : "a read delivered wrong bytes";
  }

  // Up to 6.3 the kernel returns the budget late, and then the registration needs a promote.
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

// True where the kernel returns the budget of a cleared slot immediately: where it can clone slots
// (6.13; measured on 6.12).
bool ReturnsBudgetImmediately() {
  mooring_facts_t facts{};
  facts.struct_size = sizeof facts;
  mooring_error_destroy(mooring_facts_get(&facts));
  return (facts.features & MOORING_FEATURE_CLONE_BUFFERS) != 0;
}

TEST(Promotion, ADestroyedRegistrationPromotesAWaitingOne) {
  ExpectNoComplaint([](uint64_t others_bytes) {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, 0);
    if (wrong.empty()) wrong = objects.ReadOn(MOORING_PATH_COPY);
    objects.first.reset();
    const bool late =
        ReturnsBudgetImmediately() && Info(objects.second).outcome != MOORING_OUTCOME_FIXED;
    if (wrong.empty() && late) wrong = "not promoted by the call that returned the budget";
    return wrong.empty() ? objects.ExpectFixed() : wrong;
  });
}

TEST(Promotion, ADestroyedRingPromotesAWaitingRegistration) {
  ExpectNoComplaint([](uint64_t others_bytes) {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, 0);
    objects.first_ring.reset();
    const bool late =
        ReturnsBudgetImmediately() && Info(objects.second).outcome != MOORING_OUTCOME_FIXED;
    if (wrong.empty() && late) wrong = "not promoted by the call that returned the budget";
    return wrong.empty() ? objects.ExpectFixed() : wrong;
  });
}

TEST(Promotion, AClosedSlabPromotesAWaitingRegistration) {
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

// Without a promote: the owner thread only uses its ring.
TEST(Promotion, ARingWithAnOwnerIsPromotedByItsOwnersNextCall) {
  ExpectNoComplaint([](uint64_t others_bytes) -> std::string {
    Objects objects;
    std::string wrong = objects.Make(others_bytes, MOORING_RING_OWNER_THREAD);
    if (!wrong.empty()) return wrong;
    std::thread([&] { objects.first.reset(); }).join();
    if (Info(objects.second).outcome == MOORING_OUTCOME_FIXED)
      return "promoted on another thread than the owner";
    RunOne(objects.second_ring, Nop());
    if (ReturnsBudgetImmediately() && Info(objects.second).outcome != MOORING_OUTCOME_FIXED) {
      return "the owner's next call did not promote";
    }
    return objects.ExpectFixed();
  });
}

TEST(Promotion, PromoteOnAnotherThreadIsDoneByTheOwnersNextCall) {
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
    if (!accepted) return "promote was refused on another thread";
    if (Info(objects.second).outcome == MOORING_OUTCOME_FIXED)
      return "promoted on another thread than the owner";
    RunOne(objects.second_ring, Nop());
    if (Info(objects.second).outcome != MOORING_OUTCOME_FIXED) return Info(objects.second).message;
    return objects.ReadOn(MOORING_PATH_FIXED);
  });
}

}  // namespace
}  // namespace mooring::conformance
