// Names: the names of the constants of the C headers, for the JSON and the text reports. They are a
// public interface (docs/MOOR.md) and never change.
//
// Threading: pure functions. The name of a value that only a newer library has is "unknown".
#ifndef MOORING_TOOLS_MOOR_NAMES_H_
#define MOORING_TOOLS_MOOR_NAMES_H_

#include <mooring/mooring.h>

namespace moor {

const char* EngineName(mooring_engine_t engine);
const char* EngineReasonName(mooring_engine_reason_t reason);
const char* PolicyName(mooring_policy_t policy);
const char* OutcomeName(mooring_outcome_t outcome);
const char* ReasonName(mooring_reason_t reason);
const char* PageKindName(mooring_page_kind_t kind);
const char* TransparentHugePagesName(mooring_transparent_huge_pages_t value);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_NAMES_H_
