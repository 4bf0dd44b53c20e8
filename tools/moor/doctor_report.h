// DoctorReport: an examination in words, for people and as JSON (the keys are in docs/MOOR.md).
//
// Threading: pure functions.
#ifndef MOORING_TOOLS_MOOR_DOCTOR_REPORT_H_
#define MOORING_TOOLS_MOOR_DOCTOR_REPORT_H_

#include <string>

#include "tools/moor/examination.h"

namespace moor {

std::string DoctorText(const Examination& examination);
std::string DoctorJson(const Examination& examination);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DOCTOR_REPORT_H_
