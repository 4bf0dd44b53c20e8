// Session: a ring, a slab and the registration of the slab with the ring, created from the options.
//
// Lifecycle: the constructor creates all three, or releases everything and throws. Stop ends the
// operations in flight before files are closed. The destructor releases everything. Threading: only
// the thread that creates the session may use it (MOORING_RING_OWNER_THREAD).
//
//   Session session(options, PlanSlab(options));
//   mooring_ring_submit(session.ring(), ...);
#ifndef MOORING_TOOLS_MOOR_SESSION_H_
#define MOORING_TOOLS_MOOR_SESSION_H_

#include <string>

#include <mooring/mooring.h>

#include "tools/moor/handles.h"
#include "tools/moor/memory_plan.h"
#include "tools/moor/options.h"

namespace moor {

class Session {
 public:
  // Throws if the requested engine or a required registration is not available.
  Session(const TransferOptions& options, const SlabPlan& plan);
  ~Session();

  mooring_ring_t* ring() const { return ring_.get(); }
  mooring_slab_t* slab() const { return slab_.get(); }
  mooring_registration_t* registration() const { return registration_.get(); }

  const mooring_ring_info_t& ring_info() const { return ring_info_; }
  const mooring_slab_info_t& slab_info() const { return slab_info_; }
  const mooring_registration_info_t& registration_info() const { return registration_info_; }
  mooring_ring_stats_t stats() const;

  // The remedies for the engine and for the registration, "" if none is needed. If the engine is
  // the reason that no memory is pinned, both remedies are the same.
  const std::string& EngineRemedy() const { return engine_remedy_; }
  std::string RegistrationRemedy() const;

  // Cancels the operations in flight and waits at most 2 seconds until they have completed.
  void Stop();

 private:
  void CreateRing(const TransferOptions& options, const SlabPlan& plan);
  void CreateSlab(const SlabPlan& plan);
  void Register(mooring_policy_t policy);

  // Destroyed in the reverse order.
  RingOwner ring_;
  SlabOwner slab_;
  RegistrationOwner registration_;
  std::string engine_remedy_;
  mooring_ring_info_t ring_info_ = {};
  mooring_slab_info_t slab_info_ = {};
  mooring_registration_info_t registration_info_ = {};
};

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SESSION_H_
