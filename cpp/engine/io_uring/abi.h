// The kernel's io_uring interface: liburing's headers, and constants that liburing 2.3, the oldest
// that Mooring builds with, does not have. Names and numbers are those of linux/io_uring.h. Whether
// the running kernel supports them is found by trying.
#ifndef MOORING_CPP_ENGINE_IO_URING_ABI_H_
#define MOORING_CPP_ENGINE_IO_URING_ABI_H_

#include <liburing.h>

#include <cstdint>

// Linux 6.2.
#ifndef IORING_SEND_ZC_REPORT_USAGE
#define IORING_SEND_ZC_REPORT_USAGE (1U << 3)
#endif

// Linux 6.6.
#ifndef IORING_SETUP_NO_SQARRAY
#define IORING_SETUP_NO_SQARRAY (1U << 16)
#endif

// Linux 6.14.
#ifndef IORING_FEAT_RW_ATTR
#define IORING_FEAT_RW_ATTR (1U << 16)
#endif

namespace mooring {

// IORING_REGISTER_CLONE_BUFFERS (Linux 6.12). Newer headers have it as an enumerator, which #ifdef
// cannot detect.
inline constexpr uint32_t kRegisterCloneBuffers = 30;

// IORING_OP_READ_MULTISHOT (Linux 6.7, later than IORING_SEND_ZC_REPORT_USAGE).
inline constexpr uint8_t kOpcodeReadMultishot = 49;

// IORING_OP_PIPE (Linux 6.16, the first release in which a drain delays all later requests).
inline constexpr uint8_t kOpcodePipe = 62;

// IORING_REGISTER_DST_REPLACE (Linux 6.13, together with src_off, dst_off and nr): the target
// already has a table, and only the slots named here change. 6.12 returns EINVAL for it, and clones
// only whole tables, into rings without a table.
inline constexpr uint32_t kCloneDstReplace = 1u << 1;

// The argument of kRegisterCloneBuffers, struct io_uring_clone_buffers.
struct CloneBuffersArgument {
  uint32_t src_fd = 0;
  uint32_t flags = 0;
  uint32_t src_off = 0;
  uint32_t dst_off = 0;
  uint32_t nr = 0;
  uint32_t pad[3] = {};
};
static_assert(sizeof(CloneBuffersArgument) == 32);

}  // namespace mooring

#endif  // MOORING_CPP_ENGINE_IO_URING_ABI_H_
