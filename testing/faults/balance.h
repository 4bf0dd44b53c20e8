// balance.h: what the wrapped calls have taken from the system and not given back.
//
// All calls count, armed or not: what is taken in a fault may be given back after it.
//
// Threading: any.
#ifndef MOORING_TESTING_FAULTS_BALANCE_H_
#define MOORING_TESTING_FAULTS_BALANCE_H_

#include <cstddef>
#include <cstdint>

namespace mooring::faults {

struct Balance {
  int64_t mapped_bytes = 0;
  int64_t thread_count = 0;  // started and not joined
};

Balance ReadBalance();

void CountMapped(int64_t bytes);
void CountThread(int64_t difference);

// A munmap(2) that a fault has refused: the caller has done his part, and the range stays until
// UnmapRefused takes it away.
void KeepRefused(void* data, size_t size);
void UnmapRefused();

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_BALANCE_H_
