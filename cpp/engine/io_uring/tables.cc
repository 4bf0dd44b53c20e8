#include "cpp/engine/io_uring/tables.h"

#include <cerrno>
#include <memory>

namespace mooring {
namespace {

constexpr uint32_t kSparseSlotCountMax = 16384;  // IORING_MAX_REG_BUFFERS, 5.13

}  // namespace

int UringTables::CreateBuffers(uint32_t slot_count) {
  // The kernel returns the same errno here as for a missing IORING_REGISTER_BUFFERS2.
  if (slot_count > kSparseSlotCountMax) return -EINVAL;
  io_uring_rsrc_register table = {};
  table.nr = slot_count;
  table.flags = IORING_RSRC_REGISTER_SPARSE;  // 5.19
  int result = uring_.Register(IORING_REGISTER_BUFFERS2, &table, sizeof(table));
  if (result == -EINVAL) {
    // From 5.13, a null range of 0 bytes is an empty slot. Older kernels have no empty slots.
    const std::unique_ptr<iovec[]> ranges(new iovec[slot_count]());
    table.flags = 0;
    table.data = reinterpret_cast<uint64_t>(ranges.get());
    result = uring_.Register(IORING_REGISTER_BUFFERS2, &table, sizeof(table));
  }
  has_buffers_ = result >= 0;
  if (result == -EINVAL) result = TryWithoutUpdates();
  return result < 0 ? result : 0;
}

// Tries to register a table of one empty range. Kernels without empty slots return EFAULT, which
// shows that the call itself works. Other kernels make the table.
int UringTables::TryWithoutUpdates() {
  const iovec nothing = {};
  const int result = uring_.Register(IORING_REGISTER_BUFFERS, &nothing, 1);
  if (result < 0 && result != -EFAULT) return result;
  has_buffers_ = result >= 0;
  lacks_updates_ = true;
  return UnregisterBuffers();
}

int UringTables::CreateFiles(uint32_t slot_count) {
  io_uring_rsrc_register table = {};
  table.nr = slot_count;
  table.flags = IORING_RSRC_REGISTER_SPARSE;  // 5.19
  int result = uring_.Register(IORING_REGISTER_FILES2, &table, sizeof(table));
  if (result == -EINVAL) {
    const std::unique_ptr<int32_t[]> files(new int32_t[slot_count]);
    for (uint32_t i = 0; i < slot_count; ++i) files[i] = -1;  // an empty slot, from 5.5
    result = uring_.Register(IORING_REGISTER_FILES, files.get(), slot_count);
  }
  has_files_ = result >= 0;
  return has_files_ ? 0 : result;
}

int UringTables::UpdateBuffers(uint32_t first, std::span<const iovec> ranges,
                               std::span<const uint64_t> tags) {
  if (!has_buffers_ || lacks_updates_) return -EOPNOTSUPP;
  io_uring_rsrc_update2 update = {};
  update.offset = first;
  update.data = reinterpret_cast<uint64_t>(ranges.data());
  update.tags = tags.empty() ? 0 : reinterpret_cast<uint64_t>(tags.data());
  update.nr = static_cast<uint32_t>(ranges.size());
  return uring_.Register(IORING_REGISTER_BUFFERS_UPDATE, &update, sizeof(update));
}

int UringTables::CloneBuffer(int source_fd, uint32_t from, uint32_t to) {
  if (!has_buffers_ || lacks_updates_ || source_fd < 0) return -EOPNOTSUPP;
  CloneBuffersArgument clone;
  clone.src_fd = static_cast<uint32_t>(source_fd);
  clone.flags = kCloneDstReplace;
  clone.src_off = from;
  clone.dst_off = to;
  clone.nr = 1;
  return uring_.Register(kRegisterCloneBuffers, &clone, 1);
}

int UringTables::RegisterBuffers(std::span<const iovec> ranges) {
  if (!lacks_updates_) return -EOPNOTSUPP;
  const int result =
      uring_.Register(IORING_REGISTER_BUFFERS, ranges.data(), static_cast<uint32_t>(ranges.size()));
  if (result >= 0) has_buffers_ = true;
  return result < 0 ? result : 0;
}

int UringTables::UnregisterBuffers() {
  if (!has_buffers_) return 0;
  // Up to 6.12 the call waits for requests that use the table. A signal ends the wait and leaves
  // the table, so try again.
  int result = -EINTR;
  while (result == -EINTR) result = uring_.Register(IORING_UNREGISTER_BUFFERS, nullptr, 0);
  if (result < 0 && result != -ENXIO) return result;
  has_buffers_ = false;
  return 0;
}

int UringTables::SetFile(uint32_t index, int fd) {
  if (!has_files_) return -EOPNOTSUPP;
  const int32_t file = fd < 0 ? -1 : fd;
  io_uring_files_update update = {};
  update.offset = index;
  update.fds = reinterpret_cast<uint64_t>(&file);
  const int result = uring_.Register(IORING_REGISTER_FILES_UPDATE, &update, 1);
  return result < 0 ? result : 0;
}

}  // namespace mooring
