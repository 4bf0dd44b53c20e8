// Doctor: `moor doctor`: what this machine gives, what a slab would get, and what to change.
#ifndef MOORING_TOOLS_MOOR_DOCTOR_H_
#define MOORING_TOOLS_MOOR_DOCTOR_H_

#include "tools/moor/options.h"

namespace moor {

// That something is not to be had is an answer and no failure. Throws where it cannot even look.
void RunDoctor(const DoctorOptions& options);

}  // namespace moor

#endif  // MOORING_TOOLS_MOOR_DOCTOR_H_
