// pinned: io_uring, and memlock enough. What Mooring is for.

#include "testing/support/configuration.h"

namespace mooring::conformance {

MOORING_CONFIGURATION({
    .name = "pinned",
    .missing = &MissingForPinning,
    .expect = &PinnedExpectation,
});

}  // namespace mooring::conformance
