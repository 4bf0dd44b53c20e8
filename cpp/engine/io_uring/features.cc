#include "cpp/engine/io_uring/features.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include "cpp/engine/engine.h"
#include "cpp/engine/io_uring/tables.h"

namespace mooring {
namespace {

struct OpcodeName {
  uint8_t opcode;
  const char* name;
};

// All of them exist since 5.6, which is the oldest supported kernel for this reason.
constexpr OpcodeName kNeeded[] = {
    {IORING_OP_NOP, "IORING_OP_NOP"},
    {IORING_OP_READ, "IORING_OP_READ"},
    {IORING_OP_WRITE, "IORING_OP_WRITE"},
    {IORING_OP_READ_FIXED, "IORING_OP_READ_FIXED"},
    {IORING_OP_WRITE_FIXED, "IORING_OP_WRITE_FIXED"},
    {IORING_OP_FSYNC, "IORING_OP_FSYNC"},
    {IORING_OP_FALLOCATE, "IORING_OP_FALLOCATE"},
    {IORING_OP_OPENAT, "IORING_OP_OPENAT"},
    {IORING_OP_CLOSE, "IORING_OP_CLOSE"},
    {IORING_OP_STATX, "IORING_OP_STATX"},
    {IORING_OP_TIMEOUT, "IORING_OP_TIMEOUT"},
    {IORING_OP_ASYNC_CANCEL, "IORING_OP_ASYNC_CANCEL"},
    {IORING_OP_SEND, "IORING_OP_SEND"},
    {IORING_OP_RECV, "IORING_OP_RECV"},
    {IORING_OP_ACCEPT, "IORING_OP_ACCEPT"},
    {IORING_OP_CONNECT, "IORING_OP_CONNECT"},
    {IORING_OP_POLL_ADD, "IORING_OP_POLL_ADD"},
};

constexpr uint32_t kProbeCount = 256;  // an opcode has 8 bits

// Submits one entry on a separate ring and returns its result; nothing where that is not possible.
template <typename Fill>
std::optional<int32_t> TryEntry(const UringCalls& calls, Fill fill) {
  Uring uring;
  if (uring.Create(calls, io_uring_params{}, 1) != 0) return std::nullopt;
  const io_uring& ring = uring.ring();
  io_uring_sqe* const entry = ring.sq.sqes;
  std::memset(entry, 0, sizeof(*entry));
  fill(entry);
  ring.sq.array[0] = 0;
  __atomic_store_n(ring.sq.ktail, 1, __ATOMIC_RELEASE);
  if (uring.Enter(1, 1, IORING_ENTER_GETEVENTS, nullptr) != 1) return std::nullopt;
  if (__atomic_load_n(ring.cq.ktail, __ATOMIC_ACQUIRE) == 0) return std::nullopt;
  return ring.cq.cqes[0].res;
}

}  // namespace

UringFeatures::UringFeatures(const Uring& uring) : params_(uring.params()) {
  constexpr size_t kProbeBytes = sizeof(io_uring_probe) + kProbeCount * sizeof(io_uring_probe_op);
  alignas(io_uring_probe) char memory[kProbeBytes] = {};
  auto* const probe = reinterpret_cast<io_uring_probe*>(memory);
  const int result = uring.Register(IORING_REGISTER_PROBE, probe, kProbeCount);
  probe_result_ = result < 0 ? result : 0;
  const auto* const entries =
      reinterpret_cast<const io_uring_probe_op*>(memory + sizeof(io_uring_probe));
  for (uint32_t i = 0; i < probe->ops_len; ++i) {
    if ((entries[i].flags & IO_URING_OP_SUPPORTED) != 0) opcodes_.set(entries[i].op);
  }
}

const char* UringFeatures::FirstMissingOpcode() const {
  for (const OpcodeName& needed : kNeeded) {
    if (!opcodes_.test(needed.opcode)) return needed.name;
  }
  return nullptr;
}

uint64_t UringFeatures::FeatureBits() const {
  uint64_t features = kFeatureFixedBuffers;  // READ_FIXED is needed above
  if ((params_.features & IORING_FEAT_RSRC_TAGS) != 0) features |= kFeatureBufferTags;
  if ((params_.features & IORING_FEAT_EXT_ARG) != 0) features |= kFeatureWaitTimeout;
  if ((params_.flags & IORING_SETUP_SINGLE_ISSUER) != 0) features |= kFeatureSingleIssuer;
  if ((params_.flags & IORING_SETUP_DEFER_TASKRUN) != 0) features |= kFeatureDeferTaskrun;
  if ((params_.flags & IORING_SETUP_SQPOLL) != 0) features |= kFeatureSqpoll;
  if ((params_.flags & IORING_SETUP_SUBMIT_ALL) != 0) features |= kFeatureSubmitAll;
  // These have no opcode. An opcode of the same release shows them: 5.19 and 6.0.
  if (HasOpcode(IORING_OP_SOCKET)) features |= kFeatureAcceptMultishot;
  if (HasOpcode(IORING_OP_SEND_ZC)) features |= kFeatureRecvMultishot;
  return features;
}

bool ClosesFileSlots(const UringCalls& calls, const UringFeatures& features) {
  if (features.HasOpcode(IORING_OP_LINKAT)) return true;  // 5.15 too
  const std::optional<int32_t> result = TryEntry(calls, [](io_uring_sqe* entry) {
    entry->opcode = IORING_OP_CLOSE;
    entry->fd = -1;
    entry->file_index = 1;
  });
  // EINVAL: a request must not name both a slot and a descriptor. EBADF: it tried to close
  // descriptor -1.
  return result == -EINVAL;
}

uint64_t TrySendZeroCopy(const UringCalls& calls, const UringFeatures& features) {
  if (!features.HasOpcode(IORING_OP_SEND_ZC)) return 0;
  if (features.HasOpcode(kOpcodeReadMultishot)) return kFeatureSendZeroCopy;
  const std::optional<int32_t> result = TryEntry(calls, [](io_uring_sqe* entry) {
    entry->opcode = IORING_OP_SEND_ZC;
    entry->fd = -1;
    entry->ioprio = IORING_SEND_ZC_REPORT_USAGE;
  });
  // The kernel checks the flags before the descriptor: EINVAL where it does not know this flag.
  return result == -EBADF ? uint64_t{kFeatureSendZeroCopy} : 0;
}

uint64_t TryClone(const UringCalls& calls, const Uring& source) {
  Uring target;
  if (target.Create(calls, io_uring_params{}, 1) != 0) return 0;
  UringTables from(source);
  UringTables to(target);
  if (from.CreateBuffers(1) != 0 || to.CreateBuffers(1) != 0) return 0;
  // Clones an empty slot into an empty slot. 6.12 can clone, but not into a ring that has a table.
  return to.CloneBuffer(source.fd(), 0, 0) == 0 ? uint64_t{kFeatureCloneBuffers} : 0;
}

}  // namespace mooring
