// invariant.h: conditions that must always hold. A violation aborts the program immediately, with
// the seed, episode, thread and values, before the state changes.
//
//   NameThread(seed, episode, "submitter 2");
//   INVARIANT(info.held_count == 0, "%" PRIu64 " buffers are held", info.held_count);
//   MUST(mooring_ring_close(ring, kPatienceNs));
//
// Threading: any.
#ifndef MOORING_TESTING_RANDOM_INVARIANT_H_
#define MOORING_TESTING_RANDOM_INVARIANT_H_

#include <mooring/error.h>

#include <cstdint>
#include <string>

namespace mooring::workload {

// Sets the labels with which a violation on this thread is reported.
void NameThread(uint64_t seed, uint64_t episode, std::string role);

[[noreturn, gnu::format(printf, 4, 5)]] void Violate(const char* file, int line, const char* claim,
                                                     const char* format, ...);

// Takes `error`, which must be NULL.
void Must(const char* file, int line, const char* call, mooring_error_t* error);

// Takes `error` and returns its code (MOORING_CODE_OK for NULL). It must have message and remedy.
mooring_code_t CodeOf(mooring_error_t* error);

}  // namespace mooring::workload

#define INVARIANT(claim, ...)                                                            \
  do {                                                                                   \
    if (!(claim)) ::mooring::workload::Violate(__FILE__, __LINE__, #claim, __VA_ARGS__); \
  } while (false)
#define MUST(call) ::mooring::workload::Must(__FILE__, __LINE__, #call, call)

#endif  // MOORING_TESTING_RANDOM_INVARIANT_H_
