#include "tools/moor/doctor.h"

#include <unistd.h>

#include "tools/moor/doctor_report.h"
#include "tools/moor/examination.h"
#include "tools/moor/report.h"

namespace moor {

void RunDoctor(const DoctorOptions& options) {
  const Examination examination(options.slab_bytes);
  PrintAll(STDOUT_FILENO, options.json ? DoctorJson(examination) : DoctorText(examination));
}

}  // namespace moor
