// Session: a ring, a slab and the registration between them, as the options ask, and what came of
// it.
//
// Lifecycle: the constructor makes all three or throws with nothing left; Stop ends what is under
// way before files are closed; the destructor gives everything back. Threading: the ring is made
// for the thread that makes the session (MOORING_RING_OWNER_THREAD), and only that one may use it.
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
  // Throws where a named engine, or a registration that is required, is not to be had.
  Session(const TransferOptions& options, const SlabPlan& plan);
  ~Session();

  mooring_ring_t* ring() const { return ring_.get(); }
  mooring_slab_t* slab() const { return slab_.get(); }
  mooring_registration_t* registration() const { return registration_.get(); }

  const mooring_ring_info_t& ring_info() const { return ring_info_; }
  const mooring_slab_info_t& slab_info() const { return slab_info_; }
  const mooring_registration_info_t& registration_info() const { return registration_info_; }
  mooring_ring_stats_t stats() const;

  // What to do about the engine, about the memory; "" where there is nothing to do. When the engine
  // is the reason that nothing is pinned, its remedy is the registration's too.
  const std::string& EngineRemedy() const { return engine_remedy_; }
  std::string RegistrationRemedy() const;

  // Cancels what is under way and waits, for a moment at most, until it has ended.
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
