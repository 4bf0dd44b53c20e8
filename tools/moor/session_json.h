// SessionJson: the engine and the registration of a session as JSON, the same for every command.
//
// Threading: pure functions.
#ifndef MOORING_TOOLS_MOOR_SESSION_JSON_H_
#define MOORING_TOOLS_MOOR_SESSION_JSON_H_

#include <cstdint>
#include <nlohmann/json.hpp>

#include "tools/moor/session.h"

namespace moor {

// A limit of RLIMIT_MEMLOCK in bytes; null if it is unlimited.
nlohmann::ordered_json LimitJson(uint64_t bytes);

nlohmann::ordered_json EngineJson(const Session& session);
nlohmann::ordered_json RegistrationJson(const Session& session);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_SESSION_JSON_H_
