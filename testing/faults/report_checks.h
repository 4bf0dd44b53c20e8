// report_checks.h: whether Mooring's report of a failure is plausible.
//
// Threading: any.
#ifndef MOORING_TESTING_FAULTS_REPORT_CHECKS_H_
#define MOORING_TESTING_FAULTS_REPORT_CHECKS_H_

#include <mooring/mooring.h>

#include <cstdint>
#include <string>

#include "testing/support/errors.h"

namespace mooring::faults {

// Each returns "" or the problem: a missing text, or a class that contradicts the errno.
std::string ProblemOfError(const conformance::Failure& failure);
std::string ProblemOfEngineReason(mooring_engine_reason_t reason, int32_t system_error);
std::string ProblemOfReason(mooring_reason_t reason, int32_t system_error);

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_REPORT_CHECKS_H_
