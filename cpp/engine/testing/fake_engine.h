// FakeEngine: an engine with a table whose budget, refusals and delays are set by a test. It is
// only for cases that a real kernel does not produce on demand. All others are tested with a real
// kernel (testing/conformance).
#ifndef MOORING_CPP_ENGINE_TESTING_FAKE_ENGINE_H_
#define MOORING_CPP_ENGINE_TESTING_FAKE_ENGINE_H_

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "cpp/engine/engine.h"

namespace mooring {

class FakeEngine : public Engine {
 public:
  FakeEngine() {
    info_.kind = EngineKind::kIoUring;
    info_.fixed_buffer_count = 64;
    info_.submission_count = 64;
    info_.completion_count = 128;
    info_.features = kFeatureFixedBuffers | kFeatureBufferUpdate | kFeatureBufferTags |
                     kFeatureSparseTable | kFeatureAcceptMultishot | kFeatureRecvMultishot;
  }

  struct Slot {
    uint64_t bytes = 0;
    uint64_t tag = 0;
    bool is_clone = false;
  };

  EngineInfo& mutable_info() { return info_; }
  // Has a table without updates from now on, as before 5.13. Before a BufferTable uses the engine.
  void DisableUpdates(uint32_t slot_count) {
    info_.fixed_buffer_count = slot_count;
    info_.features = kFeatureFixedBuffers;
  }
  uint64_t pinned_bytes() const {
    uint64_t bytes = 0;
    for (const auto& [slot, held] : slots) bytes += held.bytes;
    return bytes;
  }
  void Complete(uint64_t token, int32_t result, uint32_t flags = 0) {
    completed_.insert(token);
    events.push_back(Event{token, result, flags});
  }
  // Completes every request that has no event yet, so that no operation is in flight after a test.
  void CompleteRest() {
    for (const Request& request : submitted) {
      if (!completed_.contains(request.token)) Complete(request.token, -ECANCELED);
    }
  }

  // For tests to set and to read.
  uint64_t budget_bytes = UINT64_MAX;
  int refuse_with = 0;               // errno for every range that is not empty
  int refuse_updates_with = 0;       // errno for every update, also one that empties a slot
  int fail_next = 0;                 // this many updates fail with ENOMEM, whatever the budget
  int refuse_clones_with = 0;        // errno for clones into this engine
  int refuse_being_cloned_with = 0;  // errno for clones from it
  int refuse_provided_with = 0;      // errno for rings of provided buffers
  bool is_owner = true;
  bool hold_tags = false;  // no tag is posted until ReleaseTags
  int updates = 0;
  int clones = 0;
  int alerts = 0;
  bool unregistered = false;
  int refuse_unregister_with = 0;
  std::deque<int> register_errors;  // for the next RegisterBuffers, 0 = as the budget allows
  int register_count = 0;           // calls of RegisterBuffers
  std::vector<iovec> registered;    // by the last RegisterBuffers, and not unregistered
  std::map<uint32_t, Slot> slots;
  std::map<uint16_t, std::byte*> provided;  // by id
  std::vector<Request> submitted;
  std::deque<Event> events;

  void ReleaseTags() {
    for (uint64_t tag : held_tags_) Complete(tag, 0);
    held_tags_.clear();
  }

  EngineCounters counters() const override { return {}; }
  bool IsOwner() const override { return is_owner; }
  void Submit(std::span<const Request> requests) override {
    submitted.insert(submitted.end(), requests.begin(), requests.end());
  }
  uint32_t Reap(std::span<Event> out, uint32_t, Deadline) override {
    uint32_t count = 0;
    while (count < out.size() && !events.empty()) {
      out[count++] = events.front();
      events.pop_front();
    }
    return count;
  }
  uint32_t SubmitAndReap(std::span<const Request> requests, std::span<Event> out,
                         uint32_t min_count, Deadline deadline) override {
    Submit(requests);
    return Reap(out, min_count, deadline);
  }
  void Wake() override {}
  void WakeAndSignal() override { ++alerts; }
  int UpdateBuffers(uint32_t first, std::span<const iovec> ranges,
                    std::span<const uint64_t> tags) override {
    int done = 0;
    for (size_t i = 0; i < ranges.size(); ++i) {
      const int error =
          Update(first + static_cast<uint32_t>(i), ranges[i].iov_len, tags.empty() ? 0 : tags[i]);
      if (error != 0) return done > 0 ? done : error;
      ++done;
    }
    return done;
  }
  // As in the kernel: no tag, and no charge.
  int CloneBuffer(const Engine& source, uint32_t, uint32_t to) override {
    if (refuse_clones_with != 0) return -refuse_clones_with;
    const int refused = static_cast<const FakeEngine&>(source).refuse_being_cloned_with;
    if (refused != 0) return -refused;
    ++clones;
    slots[to] = Slot{0, 0, true};
    return 0;
  }
  // As in the kernel: all ranges or none, only if there is no table, and at most 1024 (5.4).
  int RegisterBuffers(std::span<const iovec> ranges) override {
    ++register_count;
    if (!registered.empty()) return -EBUSY;
    if (ranges.empty() || ranges.size() > 1024) return -EINVAL;
    int error = 0;
    if (!register_errors.empty()) {
      error = register_errors.front();
      register_errors.pop_front();
    }
    uint64_t bytes = 0;
    for (const iovec& range : ranges) {
      if (range.iov_base == nullptr || range.iov_len == 0) return -EFAULT;
      bytes += range.iov_len;
    }
    if (error == 0 && refuse_with != 0) error = refuse_with;
    if (error == 0 && bytes > budget_bytes) error = ENOMEM;
    if (error != 0) return -error;
    registered.assign(ranges.begin(), ranges.end());
    for (uint32_t i = 0; i < registered.size(); ++i) slots[i] = Slot{registered[i].iov_len, 0};
    return 0;
  }
  int UnregisterBuffers() override {
    if (refuse_unregister_with != 0) return -refuse_unregister_with;
    unregistered = true;
    slots.clear();
    registered.clear();
    return 0;
  }
  // Keeps the pieces that it gets. The test decides which piece is taken, and when.
  int CreateProvidedRing(uint32_t, std::unique_ptr<ProvidedRing>* out_ring) override {
    class FakeProvidedRing final : public ProvidedRing {
     public:
      explicit FakeProvidedRing(FakeEngine& engine) : ProvidedRing(1), engine_(engine) {}
      void Add(std::byte* data, uint32_t, uint16_t id) override { engine_.provided[id] = data; }
      void Publish() override {}
      int Unregister() override { return 0; }

     private:
      FakeEngine& engine_;
    };
    if (refuse_provided_with != 0) return -refuse_provided_with;
    *out_ring = std::make_unique<FakeProvidedRing>(*this);
    return 0;
  }
  int SetFile(uint32_t, int) override { return -EOPNOTSUPP; }
  Result<int> EventFd() override {
    return Status(Code::kUnsupported, Retry::kNever, "this engine has none", "none");
  }

 private:
  // As in the kernel: the new range is charged before the old one is released.
  int Update(uint32_t slot, uint64_t bytes, uint64_t tag) {
    ++updates;
    if (refuse_updates_with != 0) return -refuse_updates_with;
    if (bytes > 0) {
      if (refuse_with != 0) return -refuse_with;
      if (fail_next > 0) {
        --fail_next;
        return -ENOMEM;
      }
      if (pinned_bytes() + bytes > budget_bytes) return -ENOMEM;
    }
    const Slot old = slots[slot];
    if (old.tag != 0) {
      if (hold_tags) {
        held_tags_.push_back(old.tag);
      } else {
        Complete(old.tag, 0);
      }
    }
    slots[slot] = Slot{bytes, tag};
    return 0;
  }

  std::vector<uint64_t> held_tags_;
  std::set<uint64_t> completed_;
};

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_TESTING_FAKE_ENGINE_H_
