#include "tools/moor/session_json.h"

#include "tools/moor/names.h"

namespace moor {

nlohmann::ordered_json LimitJson(uint64_t bytes) {
  // Most JSON parsers would round 2^64 - 1.
  return bytes == UINT64_MAX ? nlohmann::ordered_json() : nlohmann::ordered_json(bytes);
}

nlohmann::ordered_json EngineJson(const Session& session) {
  const mooring_ring_info_t& ring = session.ring_info();
  return {{"name", EngineName(ring.engine)},
          {"reason", EngineReasonName(ring.engine_reason)},
          {"remedy", session.EngineRemedy()},
          {"system_error", ring.system_error}};
}

nlohmann::ordered_json RegistrationJson(const Session& session) {
  const mooring_registration_info_t& info = session.registration_info();
  return {{"policy", PolicyName(info.policy)},
          {"outcome", OutcomeName(info.outcome)},
          {"reason", ReasonName(info.reason)},
          {"remedy", session.RegistrationRemedy()},
          {"bytes_requested", info.bytes_requested},
          {"bytes_fixed", info.bytes_fixed},
          {"memlock_soft_bytes", LimitJson(info.memlock_soft_bytes)},
          {"system_error", info.system_error}};
}

}  // namespace moor
