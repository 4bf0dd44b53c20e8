#include "cpp/os/testing/refuse_call.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>

namespace mooring {
namespace {

// Little-endian: the lower half of an argument is first.
uint32_t OffsetOfArgument(int argument) {
  return static_cast<uint32_t>(offsetof(seccomp_data, args) +
                               sizeof(uint64_t) * static_cast<size_t>(argument));
}

}  // namespace

bool RefuseCall(const RefusedCall& call) {
  const uint32_t number = static_cast<uint32_t>(call.number);
  const uint32_t refuse =
      SECCOMP_RET_ERRNO | (static_cast<uint32_t>(call.error) & SECCOMP_RET_DATA);
  const bool always = call.when == RefusedCall::When::kAlways;
  // The number of instructions to skip if the value is equal, and if it is not.
  const bool differs = call.when == RefusedCall::When::kArgumentIsNot;
  const uint8_t if_same = differs ? 1 : 0;
  const uint8_t if_not = differs ? 0 : 1;
  // The architecture is not checked, because tests make only native calls.
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, always ? static_cast<uint32_t>(offsetof(seccomp_data, nr))
                                                : OffsetOfArgument(call.argument)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, always ? number : call.value, if_same, if_not),
      BPF_STMT(BPF_RET | BPF_K, refuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {sizeof program / sizeof program[0], program};
  // Without CAP_SYS_ADMIN a filter requires PR_SET_NO_NEW_PRIVS (seccomp(2)).
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

}  // namespace mooring
