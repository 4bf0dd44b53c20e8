// pinned: io_uring, with enough memlock for the whole slab. This is the main configuration.

#include "testing/support/configuration.h"

namespace mooring::conformance {

MOORING_CONFIGURATION({
    .name = "pinned",
    .missing = &MissingForPinning,
    .expect = &PinnedExpectation,
});

}  // namespace mooring::conformance
