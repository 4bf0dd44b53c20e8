// multishot_fixture.h: a DataTest whose slab gives the memory of RECV_MULTISHOT operations.
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
  // Of the slab, with so many buffers kept ready by the ring where it can.
  Registration RegisterProviding(uint32_t provided_buffer_count);
  // What RECV_MULTISHOT with this registration costs of requests.
  bool KernelRepeats(const Registration& registration);

  static mooring_lease_t LeaseOf(const mooring_completion_t& completion);
  std::byte* BytesOf(const mooring_completion_t& completion);
  void GiveBack(const mooring_completion_t& completion);

  // The completion goes on, and brings `size` bytes of the pattern of `seed`.
  void ExpectBytes(const mooring_completion_t& completion, uint32_t seed, uint64_t size);
  // The next completion is the operation's last.
  void ExpectLast(int64_t result, uint32_t flags);
  // Of an operation whose user_data is 0.
  void CancelAndExpectLast();
  // What is there, or comes shortly.
  std::vector<mooring_completion_t> ReapSome();
};

}  // namespace mooring::conformance

#endif  // MOORING_TESTING_SUPPORT_MULTISHOT_FIXTURE_H_
