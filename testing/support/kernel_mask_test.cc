#include "testing/support/kernel_mask.h"

#include <gtest/gtest.h>
#include <liburing.h>

#include <vector>

#include "testing/support/files.h"
#include "testing/support/kernel_probe.h"
#include "testing/support/require.h"

namespace mooring::conformance {
namespace {

constexpr unsigned kProbeCount = 256;

// A ring created as the library does it, and the features and opcodes that the kernel reports for
// it.
class KernelMaskTest : public ::testing::Test {
 protected:
  void SetUp() override { SKIP_WITHOUT(ProbeRing() == 0, "io_uring", "allow io_uring_setup(2)"); }
  void TearDown() override { MaskKernel({}); }

  static uint32_t Features() {
    io_uring_params params{};
    const Fd ring(io_uring_setup(1, &params));
    EXPECT_GE(ring.get(), 0);
    return params.features;
  }

  // For each opcode 0, 1, ...: whether the kernel has it.
  static std::vector<bool> Opcodes() {
    io_uring_params params{};
    const Fd ring(io_uring_setup(1, &params));
    alignas(io_uring_probe) char
        memory[sizeof(io_uring_probe) + kProbeCount * sizeof(io_uring_probe_op)] = {};
    auto* const probe = reinterpret_cast<io_uring_probe*>(memory);
    EXPECT_EQ(io_uring_register(ring.get(), IORING_REGISTER_PROBE, probe, kProbeCount), 0);
    EXPECT_EQ(probe->ops_len, probe->last_op + 1);
    std::vector<bool> known(kProbeCount);
    for (unsigned i = 0; i < kProbeCount; ++i)
      known[i] = (probe->ops[i].flags & IO_URING_OP_SUPPORTED) != 0;
    return known;
  }
};

TEST_F(KernelMaskTest, ChangesNothingByDefault) {
  EXPECT_TRUE(Opcodes()[IORING_OP_SEND]);
  EXPECT_NE(Features() & IORING_FEAT_NODROP, 0u);
}

TEST_F(KernelMaskTest, HidesOpcodesFromTheGivenOneOn) {
  const std::vector<bool> before = Opcodes();
  MaskKernel({.opcode_count = IORING_OP_SEND});
  const std::vector<bool> after = Opcodes();
  for (unsigned i = 0; i < kProbeCount; ++i)
    EXPECT_EQ(after[i], i < IORING_OP_SEND && before[i]) << i;
}

TEST_F(KernelMaskTest, HidesFeatures) {
  const uint32_t before = Features();
  MaskKernel({.hidden_features = IORING_FEAT_NODROP});
  EXPECT_EQ(Features(), before & ~uint32_t{IORING_FEAT_NODROP});
}

}  // namespace
}  // namespace mooring::conformance
