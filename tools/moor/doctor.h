// Doctor: `moor doctor`: what this machine supports, how a slab is registered, and what to change.
#ifndef MOORING_TOOLS_MOOR_DOCTOR_H_
#define MOORING_TOOLS_MOOR_DOCTOR_H_

#include "tools/moor/options.h"

namespace moor {

// A missing feature is a finding, not a failure. Throws if the machine cannot be examined.
void RunDoctor(const DoctorOptions& options);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DOCTOR_H_
