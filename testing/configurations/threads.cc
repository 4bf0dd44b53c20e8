// threads: the threads engine, requested by name.

#include "testing/support/configuration.h"

namespace mooring::conformance {
namespace {

void AskForThreads(mooring_ring_options_t* options) { options->engine = MOORING_ENGINE_THREADS; }

Expectation Expect() { return ThreadsExpectation(MOORING_ENGINE_REASON_POLICY, 0); }

MOORING_CONFIGURATION({
    .name = "threads",
    .expect = &Expect,
    .ring_options = &AskForThreads,
});

}  // namespace
}  // namespace mooring::conformance
