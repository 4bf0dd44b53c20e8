// path_report.h: one line that says which path a configuration takes on this machine, for people
// and for the table of docs/KERNELS.md.
//
//   fixed | fixed, cloned | partial: memlock_limit | copy: kernel_too_old | threads:
//   io_uring_denied
//
// Threading: from main, in the prepared process.
#ifndef MOORING_TESTING_SUPPORT_PATH_REPORT_H_
#define MOORING_TESTING_SUPPORT_PATH_REPORT_H_

#include <string>

#include "testing/support/configuration.h"

namespace mooring::conformance {

// A slab of kSlabBytes on a ring, and on a second ring after that; both as the configuration wants
// them. What comes after a comma is the second ring's, where it differs.
std::string PathReport(const Configuration& configuration);

// The names of the features that a ring has here, separated by spaces.
std::string FeatureReport();

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_PATH_REPORT_H_
