// Fork: in the child, every call on a parent's object returns FORKED (rule 12). The parent is not
// affected.

#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "testing/support/child_process.h"
#include "testing/support/conformance_fixture.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

class Fork : public DataTest {
 protected:
  using Call = std::pair<const char*, std::function<mooring_error_t*()>>;

  // Every call on an object of the parent, except destroy.
  std::vector<Call> RingCalls();
  std::vector<Call> SlabAndRegistrationCalls();

  mooring_op_t nop_ = Nop();
  mooring_completion_t completion_{};
  uint32_t count_ = 0;
  int32_t fd_ = -1;
  mooring_lease_t lease_{};
  mooring_ring_info_t ring_info_{.struct_size = sizeof(mooring_ring_info_t)};
  mooring_ring_stats_t stats_{.struct_size = sizeof(mooring_ring_stats_t)};
  mooring_slab_info_t slab_info_{.struct_size = sizeof(mooring_slab_info_t)};
  mooring_registration_info_t info_{.struct_size = sizeof(mooring_registration_info_t)};
  mooring_extent_info_t extent_{.struct_size = sizeof(mooring_extent_info_t)};
  mooring_registration_options_t options_ = RegistrationOptions();
  mooring_registration_t* made_ = nullptr;
};

std::vector<Fork::Call> Fork::RingCalls() {
  mooring_ring_t* ring = ring_.get();
  return {
      {"submit", [=, this] { return mooring_ring_submit(ring, &nop_, 1, &count_); }},
      {"reap", [=, this] { return mooring_ring_reap(ring, &completion_, 1, 0, 0, &count_); }},
      {"submit_and_reap",
       [=, this] {
         return mooring_ring_submit_and_reap(ring, &nop_, 1, &count_, &completion_, 1, 0, 0,
                                             &count_);
       }},
      {"cancel", [=, this] { return mooring_ring_cancel(ring, 1, &count_); }},
      {"set_file", [=] { return mooring_ring_set_file(ring, 0, -1); }},
      {"event_fd", [=, this] { return mooring_ring_event_fd(ring, &fd_); }},
      {"ring_get_info", [=, this] { return mooring_ring_get_info(ring, &ring_info_); }},
      {"get_stats", [=, this] { return mooring_ring_get_stats(ring, &stats_); }},
      {"ring_close", [=] { return mooring_ring_close(ring, 0); }},
  };
}

std::vector<Fork::Call> Fork::SlabAndRegistrationCalls() {
  mooring_slab_t* slab = slab_.get();
  mooring_registration_t* registration = registration_.get();
  return {
      {"acquire", [=, this] { return mooring_slab_acquire(slab, 1, &lease_); }},
      {"release", [=, this] { return mooring_slab_release(slab, lease_); }},
      {"slab_get_info", [=, this] { return mooring_slab_get_info(slab, &slab_info_); }},
      {"slab_grow", [=] { return mooring_slab_grow(slab, 1); }},
      {"slab_close", [=] { return mooring_slab_close(slab, 0); }},
      {"registration_create",
       [=, this] { return mooring_registration_create(ring_.get(), slab, &options_, &made_); }},
      {"registration_get_info",
       [=, this] { return mooring_registration_get_info(registration, &info_); }},
      {"get_extent",
       [=, this] { return mooring_registration_get_extent(registration, 0, &extent_); }},
      {"promote", [=] { return mooring_registration_promote(registration); }},
  };
}

CONFORMANCE_TEST(Fork, Rule12EveryCallReturnsForkedInTheChild, kAnywhere) {
  lease_ = Acquire(slab_);
  const ChildResult child = RunInChild([&] {
    std::string complaint;
    for (const std::vector<Call>& calls : {RingCalls(), SlabAndRegistrationCalls()}) {
      for (const auto& [name, call] : calls) {
        const Failure failure = Take(call());
        if (failure.code != MOORING_CODE_FORKED || failure.message.empty() ||
            failure.remedy.empty()) {
          complaint += std::string(name) + " returned " + failure.ToString() + "\n";
        }
      }
    }
    return complaint;
  });
  EXPECT_TRUE(child.exited);
  EXPECT_EQ(child.complaint, "");
}

CONFORMANCE_TEST(Fork, Rule12DestroyInTheChildDoesNotAffectTheParent, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(131, 0, kBufferBytes));
  const Pipe pipe;
  Submit(ring_, {WithUserData(ReadStream(pipe.read_fd(), At(0), 512), 1)});
  const ChildResult child = RunInChild([&] {
    registration_.reset();
    ring_.reset();
    slab_.reset();
    return std::string();
  });
  EXPECT_TRUE(child.exited);
  EXPECT_EQ(child.complaint, "");

  const std::vector<std::byte> sent = Pattern(132, 0, 512);
  pipe.Write(sent.data(), sent.size());
  const mooring_completion_t completion = Reap(ring_, 1).front();
  EXPECT_EQ(completion.user_data, 1u);
  EXPECT_EQ(completion.result, 512);
  EXPECT_TRUE(HasPattern(data(), 132, 0, 512));
  const mooring_completion_t read =
      RunOne(ring_, Read(file.get(), 0, At(kBufferBytes), kBufferBytes));
  EXPECT_EQ(read.result, static_cast<int64_t>(kBufferBytes));
  EXPECT_EQ(read.path, PathOf(kBufferBytes, kBufferBytes)) << "the child released the pins";
  EXPECT_EQ(Info(registration_).outcome, CurrentExpectation().outcome);
}

CONFORMANCE_TEST(Fork, Rule12OperationsInFlightBelongToTheParent, kAnywhere) {
  const Pipe pipe;
  Submit(ring_, {ReadStream(pipe.read_fd(), At(0), 512)});
  // The child writes while it has copies of everything. Its own memory must not change.
  const ChildResult child = RunInChild([&] {
    const std::vector<std::byte> sent = Pattern(133, 0, 512);
    pipe.Write(sent.data(), sent.size());
    return std::string();
  });
  EXPECT_TRUE(child.exited) << child.complaint;
  EXPECT_EQ(Reap(ring_, 1).front().result, 512);
  EXPECT_TRUE(HasPattern(data(), 133, 0, 512)) << "the bytes are not in the parent's memory";
}

CONFORMANCE_TEST(Fork, TheParentContinuesWhileAChildExists, kAnywhere) {
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(134, 0, kSlabBytes));
  Pipe hold;
  const pid_t pid = fork();
  if (pid == 0) {
    hold.CloseWriteEnd();
    char byte;
    _exit(read(hold.read_fd(), &byte, 1) == 0 ? 0 : 1);  // until the parent closes its end
  }
  ASSERT_GT(pid, 0);
  for (uint64_t offset = 0; offset < kSlabBytes; offset += kBufferBytes) {
    const mooring_completion_t read =
        RunOne(ring_, Read(file.get(), offset, At(offset), kBufferBytes));
    EXPECT_EQ(read.result, static_cast<int64_t>(kBufferBytes));
  }
  EXPECT_TRUE(HasPattern(data(), 134, 0, kSlabBytes));
  hold.CloseWriteEnd();
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

CONFORMANCE_TEST(Fork, TheChildCanCreateItsOwnObjects, kAnywhere) {
  const bool threads = CurrentExpectation().engine == MOORING_ENGINE_THREADS;
  SKIP_WITHOUT(!threads || ChildMayStartThreads(), "threads in children", kChildThreadsRemedy);
  const TempDir dir;
  const Fd file = dir.Create("data", Pattern(135, 0, 4096));
  const ChildResult child = RunInChild([&]() -> std::string {
    const Ring ring = CreateRing();
    const Slab slab = CreateSlab(SlabOptions());
    if (ring == nullptr || slab == nullptr) return "cannot create the ring or the slab";
    const Registration registration = Register(ring, slab);
    if (registration == nullptr) return "cannot create the registration";
    if (Info(registration).outcome != CurrentExpectation().outcome &&
        CurrentExpectation().engine == Info(ring).engine &&
        CurrentExpectation().outcome != MOORING_OUTCOME_PARTIAL) {
      return std::string("registration: ") + Info(registration).message;
    }
    const mooring_completion_t read =
        RunOne(ring, Read(file.get(), 0, InSlab(registration.get(), 0), 4096));
    if (read.result != 4096) return "read returned " + std::to_string(read.result);
    return HasPattern(Data(slab), 135, 0, 4096) ? "" : "wrong bytes";
  });
  EXPECT_TRUE(child.exited);
  EXPECT_EQ(child.complaint, "");
}

CONFORMANCE_TEST(Fork, Rule12MixedObjectsAreRefused, kAnywhere) {
  const bool threads = CurrentExpectation().engine == MOORING_ENGINE_THREADS;
  SKIP_WITHOUT(!threads || ChildMayStartThreads(), "threads in children", kChildThreadsRemedy);
  const ChildResult child = RunInChild([&]() -> std::string {
    const Ring ring = CreateRing();
    mooring_registration_t* made = nullptr;
    const mooring_registration_options_t options = RegistrationOptions();
    // A ring of the child with a slab of the parent.
    const Failure failure =
        Take(mooring_registration_create(ring.get(), slab_.get(), &options, &made));
    if (failure.code != MOORING_CODE_FORKED)
      return "registration_create returned " + failure.ToString();
    const mooring_op_t read = Read(0, 0, At(0), 512);
    uint32_t accepted = 0;
    const Failure refused = Take(mooring_ring_submit(ring.get(), &read, 1, &accepted));
    return refused.ok() ? "submit accepted a registration of the parent" : "";
  });
  EXPECT_TRUE(child.exited);
  EXPECT_EQ(child.complaint, "");
}

}  // namespace
}  // namespace mooring::conformance
