#include "testing/support/seccomp_filter.h"

#include <seccomp.h>

#include <cerrno>
#include <cstdint>
#include <initializer_list>

namespace mooring::conformance {

bool DenyIoUring(int error) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return false;
  const uint32_t action = SCMP_ACT_ERRNO(static_cast<uint32_t>(error));
  bool good = true;
  for (const char* name : {"io_uring_setup", "io_uring_enter", "io_uring_register"}) {
    const int number = seccomp_syscall_resolve_name(name);
    good = good && number >= 0 && seccomp_rule_add(filter, action, number, 0) == 0;
  }
  good = good && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return good;
}

bool HideRegistration(int opcode) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  if (filter == nullptr) return false;
  const int number = seccomp_syscall_resolve_name("io_uring_register");
  // Without the flag for a registered ring descriptor (6.3).
  const scmp_arg_cmp is_opcode = {.arg = 1,
                                  .op = SCMP_CMP_MASKED_EQ,
                                  .datum_a = 0x7fffffff,
                                  .datum_b = static_cast<scmp_datum_t>(opcode)};
  const bool good = number >= 0 &&
                    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), number, 1, is_opcode) == 0 &&
                    seccomp_load(filter) == 0;
  seccomp_release(filter);
  return good;
}

}  // namespace mooring::conformance
