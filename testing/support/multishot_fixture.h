// multishot_fixture.h: a DataTest for RECV_MULTISHOT operations. They receive into buffers of its
// slab.
//
// Threading: as DataTest.
#ifndef MOORING_TESTING_SUPPORT_MULTISHOT_FIXTURE_H_
#define MOORING_TESTING_SUPPORT_MULTISHOT_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {

class MultishotTest : public DataTest {
 protected:
  // Registers the slab. The ring keeps this number of provided buffers where it can.
  Registration RegisterProviding(uint32_t provided_buffer_count);
  // True when one request serves a RECV_MULTISHOT with this registration until its end.
  bool KernelHasMultishot(const Registration& registration);

  static mooring_lease_t LeaseOf(const mooring_completion_t& completion);
  std::byte* BytesOf(const mooring_completion_t& completion);
  void ReleaseLease(const mooring_completion_t& completion);

  // The completion is not the last, and it delivers `size` bytes of the pattern of `seed`.
  void ExpectBytes(const mooring_completion_t& completion, uint32_t seed, uint64_t size);
  // The next completion is the operation's last.
  void ExpectLast(int64_t result, uint32_t flags);
  // Cancels the operation whose user_data is 0.
  void CancelAndExpectLast();
  // Returns the completions that are available, or that arrive within kQuietNs.
  std::vector<mooring_completion_t> ReapSome();
};

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_MULTISHOT_FIXTURE_H_
