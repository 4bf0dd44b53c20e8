// CoreFixture: both sides of a ring on a FakeEngine. The test decides which events arrive when.
#ifndef MOORING_CPP_RING_TESTING_CORE_FIXTURE_H_
#define MOORING_CPP_RING_TESTING_CORE_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "cpp/engine/testing/fake_engine.h"
#include "cpp/ring/completer.h"
#include "cpp/ring/submitter.h"

namespace mooring {

// A FakeEngine that calls `on_submit` once, after the next Submit: a test uses it to let the
// completion side run in the middle of a call of the submission side.
class InterruptibleEngine : public FakeEngine {
 public:
  void Submit(std::span<const Request> requests) override {
    FakeEngine::Submit(requests);
    if (on_submit) std::exchange(on_submit, nullptr)();
  }
  std::function<void()> on_submit;
};

class CoreFixture : public testing::Test {
 protected:
  static constexpr uint64_t kBuffer = 4096;
  static constexpr uint32_t kRecords = 8;

  explicit CoreFixture(uint32_t record_count = kRecords)
      : table_(MakeRef<BufferTable>(&engine_)),
        records_(record_count),
        messages_(record_count),
        multishots_(record_count),
        core_{&engine_, table_.get(), &records_, &messages_, &multishots_, {}, {}, {}, {}},
        submitter_(core_, record_count),
        completer_(core_) {
    slab_ =
        Slab::Create({.buffer_bytes = kBuffer, .buffer_count = 4, .touch = Touch::kNone}).value();
    registration_ = Registration::Create(table_, slab_, {}).value();
    engine_.submitted.clear();
  }
  ~CoreFixture() override {
    engine_.CompleteRest();
    Reap();
    registration_.reset();
    table_->Detach();
  }

  Status Submit(const std::vector<Operation>& operations, uint32_t* accepted) {
    Status status = submitter_.Stage(operations, accepted);
    submitter_.Flush();
    return status;
  }
  // Submits operations that must all be accepted.
  void MustSubmit(const std::vector<Operation>& operations) {
    uint32_t accepted = 0;
    const Status status = Submit(operations, &accepted);
    ASSERT_TRUE(status.ok()) << status.message();
    ASSERT_EQ(accepted, operations.size());
  }
  std::vector<Completion> Reap() {
    std::vector<Completion> completions(64);
    completions.resize(completer_.Reap({}, completions, 0, Deadline()));
    return completions;
  }
  Operation Read(const Lease& lease, uint64_t size, uint64_t user_data = 0) {
    Operation operation;
    operation.opcode = static_cast<uint16_t>(Opcode::kRead);
    operation.registration = registration_.get();
    operation.lease_first_index = lease.first_index;
    operation.lease_generation = lease.generation;
    operation.size = size;
    operation.user_data = user_data;
    return operation;
  }
  Operation Nop(uint64_t user_data, uint16_t flags = 0) {
    Operation operation;
    operation.user_data = user_data;
    operation.flags = flags;
    return operation;
  }
  Lease Acquire(uint32_t count = 1) {
    Lease lease;
    EXPECT_TRUE(slab_->Acquire(count, &lease).ok());
    return lease;
  }

  InterruptibleEngine engine_;
  RefPtr<BufferTable> table_;
  RecordPool records_;
  MessagePool messages_;
  MultishotTable multishots_;
  RingCore core_;
  Submitter submitter_;
  Completer completer_;
  RefPtr<Slab> slab_;
  RefPtr<Registration> registration_;
};

}  // namespace mooring

#endif  // MOORING_CPP_RING_TESTING_CORE_FIXTURE_H_
