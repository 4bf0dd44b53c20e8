// first_read FILE: one read into registered memory; an error prints its remedy and ends the
// program.
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <mooring/mooring.h>

static void check(mooring_error_t* error) {
  if (error == NULL) return;
  fprintf(stderr, "%s\n%s\n", mooring_error_message(error), mooring_error_remedy(error));
  exit(1);
}

int main(int argc, char** argv) {
  const int fd = open(argc == 2 ? argv[1] : "", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    perror("usage: first_read FILE");
    return 2;
  }
  mooring_slab_options_t memory = MOORING_SLAB_OPTIONS_INIT;  // 64 buffers of 1 MiB
  mooring_ring_options_t engine = MOORING_RING_OPTIONS_INIT;
  mooring_registration_options_t policy = MOORING_REGISTRATION_OPTIONS_INIT;
  mooring_slab_t* slab = NULL;
  mooring_ring_t* ring = NULL;
  mooring_registration_t* registration = NULL;
  mooring_lease_t lease;
  mooring_completion_t done;
  uint32_t accepted, count;

  check(mooring_slab_create(&memory, &slab));  // 64 buffers of 1 MiB
  check(mooring_ring_create(&engine, &ring));  // io_uring, or threads where it is denied
  check(mooring_registration_create(ring, slab, &policy, &registration));  // pins what it can
  check(mooring_slab_acquire(slab, 1, &lease));                            // one buffer
  mooring_op_t read = {.opcode = MOORING_OPCODE_READ, .fd = fd, .size = 1 << 20};
  read.registration = registration;
  read.lease_first_index = lease.first_index;
  read.lease_generation = lease.generation;
  check(mooring_ring_submit_and_reap(ring, &read, 1, &accepted, &done, 1, 1, INT64_MAX, &count));
  printf("%" PRId64 " bytes at %p, path %s\n", done.result, mooring_slab_data(slab, lease),
         done.path == MOORING_PATH_FIXED ? "fixed" : "copy");

  check(mooring_slab_release(slab, lease));
  mooring_registration_destroy(registration);
  mooring_ring_destroy(ring);
  mooring_slab_destroy(slab);
  return done.result < 0;
}
