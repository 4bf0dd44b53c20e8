// read_file FILE: reads a file through registered memory, and prints how much of it is pinned.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <mooring/mooring.h>

// Returns whether a call failed. If it did, prints the message and the remedy.
static int failed(mooring_error_t* error) {
  if (error == NULL) return 0;
  fprintf(stderr, "%s\n%s\n", mooring_error_message(error), mooring_error_remedy(error));
  mooring_error_destroy(error);
  return 1;
}

// Reads `fd` to its end, one buffer at a time, into `lease`. Returns 0 on success.
static int read_all(mooring_ring_t* ring, mooring_registration_t* registration,
                    mooring_lease_t lease, int fd) {
  mooring_op_t read = {.opcode = MOORING_OPCODE_READ,
                       .fd = fd,
                       .size = 1 << 20,
                       .registration = registration,
                       .lease_first_index = lease.first_index,
                       .lease_generation = lease.generation};
  mooring_completion_t done;
  uint32_t accepted, count;
  do {
    if (failed(mooring_ring_submit_and_reap(ring, &read, 1, &accepted, &done, 1, 1, INT64_MAX,
                                            &count))) {
      return 1;
    }
    if (done.result < 0) {
      fprintf(stderr, "read: %s\n", strerror((int)-done.result));
      return 1;
    }
    // A program would use the bytes here: they are at mooring_slab_data(slab, lease).
    read.file_offset += (uint64_t)done.result;
  } while (done.result > 0);
  printf("%" PRIu64 " bytes\n", read.file_offset);
  return 0;
}

// Prints how much of the slab is pinned and, if not all is, the reason and the remedy.
static int report(const mooring_registration_t* registration) {
  mooring_registration_info_t info = {.struct_size = sizeof info};
  if (failed(mooring_registration_get_info(registration, &info))) return 1;
  printf("%" PRIu64 " of %" PRIu64 " bytes pinned\n", info.bytes_fixed, info.bytes_requested);
  if (info.outcome != MOORING_OUTCOME_FIXED) printf("%s\n%s\n", info.message, info.remedy);
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: read_file FILE\n");
    return 2;
  }
  const int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    perror(argv[1]);
    return 1;
  }
  mooring_slab_options_t memory = MOORING_SLAB_OPTIONS_INIT;  // 64 buffers of 1 MiB
  mooring_ring_options_t engine = MOORING_RING_OPTIONS_INIT;  // io_uring, otherwise threads
  mooring_registration_options_t pin = MOORING_REGISTRATION_OPTIONS_INIT;  // pin what fits
  mooring_slab_t* slab = NULL;
  mooring_ring_t* ring = NULL;
  mooring_registration_t* registration = NULL;
  mooring_lease_t lease;
  const int status =
      failed(mooring_slab_create(&memory, &slab)) || failed(mooring_ring_create(&engine, &ring)) ||
      failed(mooring_registration_create(ring, slab, &pin, &registration)) ||
      failed(mooring_slab_acquire(slab, 1, &lease)) || read_all(ring, registration, lease, fd) ||
      report(registration) || failed(mooring_slab_release(slab, lease));
  mooring_registration_destroy(registration);
  mooring_ring_destroy(ring);
  mooring_slab_destroy(slab);
  close(fd);
  return status;
}
