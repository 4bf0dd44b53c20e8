// path_report.h: one line with the path that a configuration takes on this machine, for people and
// for the table of docs/KERNELS.md.
//
//   fixed | fixed, cloned | partial: memlock_limit | copy: kernel_too_old |
//   threads: io_uring_denied
//
// Threading: from main, in the prepared process.
#ifndef MOORING_TESTING_SUPPORT_PATH_REPORT_H_
#define MOORING_TESTING_SUPPORT_PATH_REPORT_H_

#include <string>

#include "testing/support/configuration.h"

namespace mooring::conformance {

// The path of a slab of kSlabBytes on a ring, and then on a second ring, both with the
// configuration's options. The text after a comma is the second ring's, where it differs.
std::string PathReport(const Configuration& configuration);

// The names of the features of a ring on this machine, separated by spaces.
std::string FeatureReport();

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PATH_REPORT_H_
