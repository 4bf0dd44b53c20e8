// balance.h: the resources that wrapped calls have acquired and not yet released.
//
// All calls count, armed or not: a resource acquired under a fault may be released after it.
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

// Records the range of a munmap(2) that a fault has refused. The caller will not try again, so the
// range stays mapped until UnmapRefused unmaps it.
void RecordRefusedUnmap(void* data, size_t size);
void UnmapRefused();

}  // namespace mooring::faults

#endif  // MOORING_TESTING_FAULTS_BALANCE_H_
