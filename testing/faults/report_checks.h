// report_checks.h: whether what Mooring says of a failure can be true.
//
// Threading: any.
#ifndef MOORING_TESTING_FAULTS_REPORT_CHECKS_H_
#define MOORING_TESTING_FAULTS_REPORT_CHECKS_H_

#include <mooring/mooring.h>

#include <cstdint>
#include <string>

#include "testing/support/errors.h"

namespace mooring::faults {

// Each returns "" or what is wrong: a text that is missing, or a class that the errno belies.
std::string WrongWith(const conformance::Failure& failure);
std::string WrongWithEngine(mooring_engine_reason_t reason, int32_t system_error);
std::string WrongWithReason(mooring_reason_t reason, int32_t system_error);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_REPORT_CHECKS_H_
