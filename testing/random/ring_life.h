// ring_life.h: one ring from its creation to its end: its registrations, what is submitted to it,
// and the thread that reaps it. The owner of an owned ring does both.
//
// It ends in one of three ways: everything is cancelled and reaped; it is closed, and then reaped;
// or it is destroyed with operations in flight.
//
// Threading: one thread, which is the submitter.
#ifndef MOORING_TESTING_RANDOM_RING_LIFE_H_
#define MOORING_TESTING_RANDOM_RING_LIFE_H_

#include <mooring/mooring.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "testing/random/batch.h"
#include "testing/random/decisions.h"
#include "testing/random/episode_state.h"
#include "testing/random/flights.h"
#include "testing/random/landing.h"
#include "testing/support/files.h"
#include "testing/support/handles.h"

namespace mooring::workload {

class RingLife {
 public:
  RingLife(EpisodeState& episode, Decisions decisions, std::string name);
  RingLife(const RingLife&) = delete;
  RingLife& operator=(const RingLife&) = delete;

  void Live();

 private:
  enum class Ending { kDrained, kClosed, kInFlight };
  static constexpr uint64_t kBlockBytes = 32 * 1024;
  static constexpr size_t kBlocks = 16;

  void CreateRing();
  void CreateFiles();
  // A registration with `arena`, in place of the one there was.
  void Register(size_t arena);
  SharedRegistration TryRegister(size_t arena, const mooring_registration_options_t& options);
  void StartReaper();
  void ReapUntilStopped();
  bool ReapOnce(Decisions& decisions);

  void StepOnce();
  void StepFiles();
  void StepChannel();
  void StepRepeat();
  void StepWaiting();
  void StepCancel();
  void StepStaleLease();
  void StepLook();
  void StepGrow();
  bool FindGround(Ground& ground);
  bool AddFileOperation(Batch& batch, Ground& ground);
  Block* FreeBlock(uint64_t& offset);
  Flight* PickFlight();
  void Submit(Batch& batch);
  void SubmitAndReap(Batch& batch, uint32_t& accepted);
  void Launch(Batch& batch, Ground& ground);

  void CancelAll();
  void EndDrained();
  void EndClosed();
  void EndInFlight();
  void DestroyRing();
  void LeaveLeases();
  void DrainChannels();
  void ExpectAllLanded();

  EpisodeState& episode_;
  Decisions decisions_;
  const std::string name_;
  Ending ending_;
  Flights flights_;
  Landing landing_;
  uint64_t write_count_ = 0;
  uint32_t in_flight_max_ = 0;
  bool is_owned_ = false;
  bool has_fixed_file_ = false;

  conformance::Fd file_;
  conformance::Fd quiet_read_end_;  // of a pipe without a writer
  conformance::Fd quiet_write_end_;
  std::array<Block, kBlocks> blocks_;
  std::vector<std::unique_ptr<Channel>> channels_;
  std::vector<SharedRegistration> registrations_;  // by arena
  conformance::Ring ring_;

  std::atomic<bool> is_closing_ = false;
  std::atomic<bool> is_closed_ = false;
  std::atomic<bool> stops_ = false;
  std::thread reaper_;
};

}  // namespace mooring::workload

#endif  // MOORING_TESTING_RANDOM_RING_LIFE_H_
