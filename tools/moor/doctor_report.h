// DoctorReport: a diagnosis as text and as JSON (docs/MOOR.md documents the keys).
//
// Threading: pure functions.
#ifndef MOORING_TOOLS_MOOR_DOCTOR_REPORT_H_
#define MOORING_TOOLS_MOOR_DOCTOR_REPORT_H_

#include <string>

#include "tools/moor/diagnosis.h"

namespace moor {

std::string DoctorText(const Diagnosis& diagnosis);
std::string DoctorJson(const Diagnosis& diagnosis);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DOCTOR_REPORT_H_
