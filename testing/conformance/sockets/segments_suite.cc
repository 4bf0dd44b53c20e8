// Segments: one operation on a message whose bytes are in several leases.

#include <sys/socket.h>

#include <cerrno>
#include <vector>

#include "testing/support/conformance_fixture.h"
#include "testing/support/sockets.h"

namespace mooring::conformance {
namespace {

class Segments : public DataTest {
 protected:
  static mooring_segment_t Part(const mooring_lease_t& lease, uint64_t offset, uint64_t size) {
    return {.lease_first_index = lease.first_index,
            .lease_generation = lease.generation,
            .offset = offset,
            .size = size};
  }
  static mooring_segment_t PartOfSlab(uint64_t offset, uint64_t size) {
    return {.lease_first_index = 0, .lease_generation = 0, .offset = offset, .size = size};
  }
  mooring_op_t SendAll(int fd, const std::vector<mooring_segment_t>& segments,
                       int message_flags = 0) const {
    return SendMsg(fd, registration_.get(), segments, message_flags);
  }
  mooring_op_t RecvAll(int fd, const std::vector<mooring_segment_t>& segments,
                       int message_flags = 0) const {
    return RecvMsg(fd, registration_.get(), segments, message_flags);
  }
  std::byte* DataOf(const mooring_lease_t& lease) const {
    return data(lease.first_index * kBufferBytes);
  }
  void Release(const std::vector<mooring_lease_t>& leases) {
    for (const mooring_lease_t& lease : leases) EXPECT_OK(mooring_slab_release(slab_.get(), lease));
  }
  mooring_error_t* Refuse(const mooring_op_t& operation) {
    uint32_t accepted = 7;
    mooring_error_t* error = mooring_ring_submit(ring_.get(), &operation, 1, &accepted);
    EXPECT_EQ(accepted, 0u);
    return error;
  }
};

CONFORMANCE_TEST(Segments, OfSeveralLeasesAreOneMessage, kAnywhere) {
  const mooring_lease_t first = Acquire(slab_);
  const mooring_lease_t second = Acquire(slab_, 2);
  const mooring_lease_t third = Acquire(slab_);
  FillPattern(DataOf(first) + 10, 81, 0, 300);
  FillPattern(DataOf(second), 81, 300, kBufferBytes + 5);
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family);
    const mooring_ring_stats_t before = Stats(ring_);
    const uint64_t size = 300 + kBufferBytes + 5;
    const std::vector<mooring_segment_t> from = {Part(first, 10, 300), Part(second, 7, 0),
                                                 Part(second, 0, kBufferBytes + 5)};
    const std::vector<mooring_segment_t> to = {Part(third, 1, 64),
                                               PartOfSlab(kSlabBytes / 2, size)};
    const auto completions =
        Run(ring_, {SendAll(pair.one.get(), from, MSG_WAITALL), RecvAll(pair.other.get(), to)});
    EXPECT_EQ(completions[0].result, static_cast<int64_t>(size));
    EXPECT_EQ(completions[0].path, uint32_t{MOORING_PATH_COPY});
    ASSERT_GT(completions[1].result, 64);
    EXPECT_EQ(completions[1].flags, uint32_t{MOORING_COMPLETION_SHORT});
    const auto received = static_cast<uint64_t>(completions[1].result);
    EXPECT_TRUE(HasPattern(DataOf(third) + 1, 81, 0, 64));
    EXPECT_TRUE(HasPattern(data(kSlabBytes / 2), 81, 64, received - 64));
    const mooring_ring_stats_t after = Stats(ring_);
    EXPECT_EQ(after.send - before.send, 1u);
    EXPECT_EQ(after.recv - before.recv, 1u);
    EXPECT_EQ(after.send_bytes - before.send_bytes, size);
    EXPECT_EQ(after.recv_bytes - before.recv_bytes, received);
  }
  Release({first, second, third});
  EXPECT_EQ(Info(slab_).leased_count, 0u);
}

CONFORMANCE_TEST(Segments, OfALargeMessageContinueWhereTheyStopped, kAnywhere) {
  constexpr uint64_t kPart = kSlabBytes / 16;
  for (Family family : kFamilies) {
    SCOPED_TRACE(NameOf(family));
    const SocketPair pair = StreamPair(family, 16 * 1024);
    // Not in the order of their addresses, so an operation that continues at a wrong place sends
    // wrong bytes.
    std::vector<mooring_segment_t> parts;
    for (uint64_t i = 0; i < 8; ++i) {
      const uint64_t offset = (7 - i) * kPart;
      FillPattern(data(offset), 82, i * kPart, kPart);
      parts.push_back(PartOfSlab(offset, kPart));
    }
    Submit(ring_, {SendAll(pair.one.get(), parts, MSG_WAITALL)});
    std::vector<mooring_segment_t> room;
    for (uint64_t i = 0; i < 8; ++i) room.push_back(PartOfSlab((8 + (i + 3) % 8) * kPart, kPart));
    Submit(ring_, {RecvAll(pair.other.get(), room, MSG_WAITALL)});
    for (const mooring_completion_t& completion : Reap(ring_, 2)) {
      EXPECT_EQ(completion.result, static_cast<int64_t>(8 * kPart));
      EXPECT_EQ(completion.flags, 0u);
    }
    for (uint64_t i = 0; i < 8; ++i) {
      EXPECT_TRUE(HasPattern(data((8 + (i + 3) % 8) * kPart), 82, i * kPart, kPart)) << i;
    }
  }
}

CONFORMANCE_TEST(Segments, TakeAddresses, kAnywhere) {
  const SocketPair pair = UnixPair();
  const std::vector<std::byte> sent = Pattern(83, 0, 1000);
  std::vector<std::byte> received(1000);
  const auto at = [](const void* address, uint64_t size) {
    return PartOfSlab(reinterpret_cast<uintptr_t>(address), size);
  };
  const std::vector<mooring_segment_t> from = {at(sent.data(), 1), at(sent.data() + 1, 999)};
  const std::vector<mooring_segment_t> to = {at(received.data(), 998), at(&received[998], 2)};
  const auto completions = Run(ring_, {SendMsg(pair.one.get(), nullptr, from),
                                       RecvMsg(pair.other.get(), nullptr, to, MSG_WAITALL)});
  EXPECT_EQ(completions[0].result, 1000);
  EXPECT_EQ(completions[1].result, 1000);
  EXPECT_EQ(received, sent);
}

CONFORMANCE_TEST(Segments, AreOneDatagram, kAnywhere) {
  const SocketPair pair = UnixPair(SOCK_DGRAM);
  FillPattern(data(), 84, 0, 600);
  const std::vector<mooring_segment_t> from = {PartOfSlab(0, 200), PartOfSlab(200, 400)};
  const std::vector<mooring_segment_t> to = {PartOfSlab(kSlabBytes / 2, 100),
                                             PartOfSlab(kSlabBytes / 2 + 100, 150)};
  const auto completions = Run(ring_, {SendAll(pair.one.get(), from), SendAll(pair.one.get(), from),
                                       RecvAll(pair.other.get(), to, MSG_TRUNC)});
  EXPECT_EQ(completions[0].result, 600);
  EXPECT_EQ(completions[2].result, 600) << "the count includes the bytes that did not fit";
  EXPECT_TRUE(HasPattern(data(kSlabBytes / 2), 84, 0, 250));
  const mooring_completion_t next = RunOne(ring_, RecvAll(pair.other.get(), to));
  EXPECT_EQ(next.result, 250);
  EXPECT_EQ(next.flags, 0u);
}

CONFORMANCE_TEST(Segments, Rule2AllLeasesAreHeldUntilTheCompletion, kAnywhere) {
  const SocketPair pair = UnixPair();
  const mooring_lease_t first = Acquire(slab_);
  const mooring_lease_t second = Acquire(slab_, 2);
  std::vector<mooring_segment_t> to = {Part(first, 0, 100), Part(second, 0, 100),
                                       Part(second, 200, 100)};
  Submit(ring_, {RecvAll(pair.other.get(), to, MSG_WAITALL)});
  to.assign(3, {});  // submit has copied the segments
  Release({first, second});
  EXPECT_EQ(Info(slab_).held_count, 3u);
  const mooring_lease_t other = Acquire(slab_);
  EXPECT_NE(other.first_index, first.first_index);
  EXPECT_GE(other.first_index, second.first_index + 2);
  WriteAll(pair.one.get(), Pattern(85, 0, 300));
  EXPECT_EQ(Reap(ring_, 1).front().result, 300);
  EXPECT_TRUE(HasPattern(DataOf(first), 85, 0, 100));
  EXPECT_TRUE(HasPattern(DataOf(second), 85, 100, 100));
  EXPECT_TRUE(HasPattern(DataOf(second) + 200, 85, 200, 100));
  EXPECT_EQ(Info(slab_).held_count, 0u);
  Release({other});
  EXPECT_EQ(Info(slab_).leased_count, 0u);
}

CONFORMANCE_TEST(Segments, CancellationReleasesAllLeases, kAnywhere) {
  const SocketPair pair = UnixPair();
  const std::vector<mooring_lease_t> leases = {Acquire(slab_), Acquire(slab_)};
  Submit(ring_,
         {WithUserData(RecvAll(pair.other.get(), {Part(leases[0], 0, 10), Part(leases[1], 0, 10)}),
                       9)});
  Release(leases);
  uint32_t count = 0;
  ASSERT_OK(mooring_ring_cancel(ring_.get(), 9, &count));
  EXPECT_EQ(Reap(ring_, 1).front().result, -ECANCELED);
  EXPECT_EQ(Info(slab_).held_count, 0u);
}

CONFORMANCE_TEST(Segments, InAChainKeepTheOrder, kAnywhere) {
  const SocketPair pair = UnixPair();
  FillPattern(data(), 86, 0, 300);
  const auto completions = Run(
      ring_, {WithFlags(SendAll(pair.one.get(), {PartOfSlab(0, 100), PartOfSlab(100, 50)}),
                        MOORING_OPERATION_LINK),
              WithFlags(SendAll(pair.one.get(), {PartOfSlab(150, 150)}), MOORING_OPERATION_LINK),
              RecvAll(pair.other.get(), {PartOfSlab(4096, 299), PartOfSlab(4395, 1)})});
  EXPECT_EQ(completions[2].result, 300);
  EXPECT_TRUE(HasPattern(data(4096), 86, 0, 300));
}

CONFORMANCE_TEST(Segments, ThatAreInvalidAreRefusedAndHoldNoLease, kAnywhere) {
  const SocketPair pair = UnixPair();
  const int fd = pair.one.get();
  const uint32_t code = MOORING_CODE_INVALID_ARGUMENT;
  const mooring_lease_t lease = Acquire(slab_);
  const mooring_segment_t good = Part(lease, 0, 64);
  const std::vector<mooring_segment_t> many(MOORING_SEGMENT_COUNT_MAX + 1, good);
  EXPECT_REFUSED(Refuse(SendAll(fd, many)), code, "1 to 16");
  EXPECT_REFUSED(Refuse(SendAll(fd, {})), code, "1 to 16");
  const std::vector<mooring_segment_t> one = {good};
  mooring_op_t operation = SendAll(fd, one);
  operation.lease_generation = lease.generation;
  EXPECT_REFUSED(Refuse(operation), code, "no lease of their own");
  operation = SendAll(fd, one);
  operation.offset = 0;
  EXPECT_REFUSED(Refuse(operation), code, "address");
  operation = SendAll(fd, one);
  operation.registration = nullptr;
  EXPECT_REFUSED(Refuse(operation), code, "no registration");
  // The first segment is valid. Its lease must not stay held.
  EXPECT_REFUSED(Refuse(SendAll(fd, {good, Part(lease, kBufferBytes, 1)})), code,
                 "end of its lease");
  EXPECT_REFUSED(Refuse(SendAll(fd, {good, PartOfSlab(kSlabBytes, 1)})), code, "end of its lease");
  EXPECT_REFUSED(Refuse(SendAll(fd, {good, PartOfSlab(0, UINT64_MAX)})), code, "BYTES_MAX");
  EXPECT_REFUSED(Refuse(RecvAll(fd, {good, good}, MSG_ERRQUEUE)), code, "MSG_");
  mooring_lease_t stale = lease;
  ++stale.generation;
  EXPECT_REFUSED(Refuse(SendAll(fd, {good, Part(stale, 0, 1)})), MOORING_CODE_INVALID_STATE,
                 "released before");
  operation = SendAll(fd, one);
  operation.parameter |= uint64_t{MOORING_SEND_ZERO_COPY} << 32;
  EXPECT_REFUSED(Refuse(operation), MOORING_CODE_UNSUPPORTED, "MOORING_SEND_ZERO_COPY");
  EXPECT_EQ(Info(slab_).held_count, 0u);
  Release({lease});
  EXPECT_EQ(Info(slab_).leased_count, 0u);
  EXPECT_EQ(Stats(ring_).submitted, 0u);
}

CONFORMANCE_TEST(Segments, ReportErrorsOfTheSocket, kAnywhere) {
  SocketPair pair = UnixPair();
  const std::vector<mooring_segment_t> parts = {PartOfSlab(0, 10), PartOfSlab(10, 10)};
  pair.other.Close();
  EXPECT_EQ(RunOne(ring_, SendAll(pair.one.get(), parts)).result, -EPIPE) << "and no SIGPIPE";
  const mooring_completion_t end = RunOne(ring_, RecvAll(pair.one.get(), parts));
  EXPECT_EQ(end.result, 0);
  EXPECT_TRUE((end.flags & MOORING_COMPLETION_END_OF_FILE) != 0);
  EXPECT_EQ(RunOne(ring_, SendAll(987'654, parts)).result, -EBADF);
  const TempDir dir;
  const Fd file = dir.Create("data");
  EXPECT_EQ(RunOne(ring_, RecvAll(file.get(), parts)).result, -ENOTSOCK);
}

}  // namespace
}  // namespace mooring::conformance
