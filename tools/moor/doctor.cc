#include "tools/moor/doctor.h"

#include <unistd.h>

#include "tools/moor/diagnosis.h"
#include "tools/moor/doctor_report.h"
#include "tools/moor/report.h"

namespace moor {

void RunDoctor(const DoctorOptions& options) {
  const Diagnosis diagnosis(options.slab_bytes);
  PrintAll(STDOUT_FILENO, options.json ? DoctorJson(diagnosis) : DoctorText(diagnosis));
}

}  // namespace moor
