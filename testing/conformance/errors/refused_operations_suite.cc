// RefusedOperations: operations that submit refuses, and operations that it accepts and that fail.
// Each has its own error text or errno.

#include <fcntl.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <vector>

#include "testing/support/conformance_fixture.h"

namespace mooring::conformance {
namespace {

constexpr int kNotOpen = 987'654;

class RefusedOperations : public DataTest {
 protected:
  // Submits `operation` alone and checks that it was not accepted.
  mooring_error_t* Refuse(const mooring_op_t& operation) {
    uint32_t accepted = 7;
    mooring_error_t* error = mooring_ring_submit(ring_.get(), &operation, 1, &accepted);
    EXPECT_EQ(accepted, 0u);
    return error;
  }

  void TearDown() override {
    EXPECT_EQ(Stats(ring_).in_flight, 0u) << "a refused operation is not in flight";
    DataTest::TearDown();
  }

  const TempDir dir_;
  const Fd file_ = dir_.Create("data", Pattern(91, 0, 4096));
};

CONFORMANCE_TEST(RefusedOperations, UnknownOpcode, kAnywhere) {
  mooring_op_t operation = Nop();
  operation.opcode = 999;
  EXPECT_REFUSED(Refuse(operation), MOORING_CODE_UNSUPPORTED, "opcode");
}

CONFORMANCE_TEST(RefusedOperations, UnknownFlag, kAnywhere) {
  EXPECT_REFUSED(Refuse(WithFlags(Nop(), 1u << 15)), MOORING_CODE_INVALID_ARGUMENT, "flag");
}

CONFORMANCE_TEST(RefusedOperations, FieldThatTheOpcodeDoesNotUse, kAnywhere) {
  mooring_op_t operation = Read(file_.get(), 0, At(0), 512);
  operation.parameter = 1;
  EXPECT_REFUSED(Refuse(operation), MOORING_CODE_INVALID_ARGUMENT, "parameter");
}

CONFORMANCE_TEST(RefusedOperations, BeyondTheSlab, kAnywhere) {
  EXPECT_REFUSED(Refuse(Read(file_.get(), 0, At(kSlabBytes - 511), 512)),
                 MOORING_CODE_INVALID_ARGUMENT, "slab");
  EXPECT_REFUSED(Refuse(Write(file_.get(), 0, At(kSlabBytes), 1)), MOORING_CODE_INVALID_ARGUMENT,
                 "slab");
  EXPECT_REFUSED(Refuse(Read(file_.get(), 0, At(UINT64_MAX - 255), 512)),
                 MOORING_CODE_INVALID_ARGUMENT, "slab");
}

CONFORMANCE_TEST(RefusedOperations, BeyondTheLease, kAnywhere) {
  const mooring_lease_t lease = Acquire(slab_, 2);
  const auto read = [&](uint64_t offset, uint64_t size) {
    return Read(file_.get(), 0, InLease(registration_.get(), lease, offset), size);
  };
  EXPECT_REFUSED(Refuse(read(0, 2 * kBufferBytes + 1)), MOORING_CODE_INVALID_ARGUMENT, "lease");
  EXPECT_REFUSED(Refuse(read(2 * kBufferBytes, 1)), MOORING_CODE_INVALID_ARGUMENT, "lease");
  EXPECT_REFUSED(Refuse(read(UINT64_MAX, 2)), MOORING_CODE_INVALID_ARGUMENT, "lease");
  EXPECT_OK(mooring_slab_release(slab_.get(), lease));
  EXPECT_EQ(Info(slab_).held_count, 0u) << "a refused operation holds no lease";
}

CONFORMANCE_TEST(RefusedOperations, Rule2StaleLease, kAnywhere) {
  const mooring_lease_t lease = Acquire(slab_);
  ASSERT_OK(mooring_slab_release(slab_.get(), lease));
  const mooring_op_t read = Read(file_.get(), 0, InLease(registration_.get(), lease), 512);
  EXPECT_REFUSED(Refuse(read), MOORING_CODE_INVALID_STATE, "lease");
  Acquire(slab_);  // the same buffers, another generation
  EXPECT_REFUSED(Refuse(read), MOORING_CODE_INVALID_STATE, "lease");
  mooring_op_t beyond = read;
  beyond.lease_first_index = UINT32_MAX;
  EXPECT_REFUSED(Refuse(beyond), MOORING_CODE_INVALID_STATE, "lease");
}

CONFORMANCE_TEST(RefusedOperations, LeaseWithoutARegistration, kAnywhere) {
  const mooring_lease_t lease = Acquire(slab_);
  EXPECT_REFUSED(Refuse(Read(file_.get(), 0, InLease(nullptr, lease), 512)),
                 MOORING_CODE_INVALID_ARGUMENT, "lease");
}

CONFORMANCE_TEST(RefusedOperations, OperationsBeforeTheRefusedOneAreAccepted, kAnywhere) {
  std::vector<mooring_op_t> operations(5, Nop());
  operations[3].opcode = 999;
  uint32_t accepted = 0;
  EXPECT_REFUSED(mooring_ring_submit(ring_.get(), operations.data(), 5, &accepted),
                 MOORING_CODE_UNSUPPORTED);
  EXPECT_EQ(accepted, 3u);
  EXPECT_EQ(Reap(ring_, 3).size(), 3u);

  mooring_completion_t completions[8];
  uint32_t got = 0;
  EXPECT_REFUSED(mooring_ring_submit_and_reap(ring_.get(), operations.data(), 5, &accepted,
                                              completions, 8, 8, kPatienceNs, &got),
                 MOORING_CODE_UNSUPPORTED);
  EXPECT_EQ(accepted, 3u);
  EXPECT_LE(got, 3u);
  Reap(ring_, 3 - got);
}

CONFORMANCE_TEST(RefusedOperations, DescriptorsThatAreNotOpenFail, kAnywhere) {
  const mooring_op_t operations[] = {Read(kNotOpen, 0, At(0), 512),
                                     Write(kNotOpen, 0, At(0), 512),
                                     Read(kNotOpen, 0, AtAddress(data()), 512),
                                     Fsync(kNotOpen),
                                     Fallocate(kNotOpen, 0, 4096),
                                     Close(kNotOpen),
                                     Read(-1, 0, At(0), 512)};
  for (const mooring_op_t& operation : operations)
    EXPECT_EQ(RunOne(ring_, operation).result, -EBADF) << "opcode " << operation.opcode;
  EXPECT_EQ(Stats(ring_).failed, std::size(operations));
}

CONFORMANCE_TEST(RefusedOperations, WrongDirectionFails, kAnywhere) {
  const Pipe pipe;
  const auto completions =
      Run(ring_, {ReadStream(pipe.write_fd(), At(0), 16), WriteStream(pipe.read_fd(), At(0), 16)});
  EXPECT_EQ(completions[0].result, -EBADF);
  EXPECT_EQ(completions[1].result, -EBADF);
}

CONFORMANCE_TEST(RefusedOperations, AddressesThatAreNotMappedFail, kAnywhere) {
  auto* nowhere = reinterpret_cast<void*>(uintptr_t{4096});
  EXPECT_EQ(RunOne(ring_, Read(file_.get(), 0, AtAddress(nowhere), 512)).result, -EFAULT);
  EXPECT_EQ(RunOne(ring_, Write(file_.get(), 0, AtAddress(nowhere), 512)).result, -EFAULT);
  EXPECT_EQ(RunOne(ring_, OpenAt(AT_FDCWD, static_cast<const char*>(nowhere), O_RDONLY)).result,
            -EFAULT);
}

CONFORMANCE_TEST(RefusedOperations, NullForAPathOrARecordFails, kAnywhere) {
  struct statx status;
  EXPECT_EQ(RunOne(ring_, OpenAt(AT_FDCWD, nullptr, O_RDONLY)).result, -EFAULT);
  EXPECT_EQ(RunOne(ring_, Statx(AT_FDCWD, nullptr, 0, STATX_SIZE, &status)).result, -EFAULT);
  EXPECT_EQ(RunOne(ring_, Statx(AT_FDCWD, "/", 0, STATX_SIZE, nullptr)).result, -EFAULT);
}

CONFORMANCE_TEST(RefusedOperations, DirectoriesAreNotRead, kAnywhere) {
  const Fd directory(open(dir_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(RunOne(ring_, Read(directory.get(), 0, At(0), 512)).result, -EISDIR);
}

CONFORMANCE_TEST(RefusedOperations, NegativeOffsetsFail, kAnywhere) {
  const uint64_t negative = uint64_t{1} << 63;
  EXPECT_EQ(RunOne(ring_, Read(file_.get(), negative, At(0), 512)).result, -EINVAL);
}

}  // namespace
}  // namespace mooring::conformance
