// The headers are C11: they compile with -pedantic, also when they are included twice, and a C
// program can use their declarations.
#include <mooring/mooring.h>
#include <mooring/mooring.h>  // a second time, to test the guards
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void Fail(const char* what, mooring_error_t* error) {
  fprintf(stderr, "%s: %s. %s\n", what, mooring_error_message(error), mooring_error_remedy(error));
  exit(1);
}

int main(void) {
  mooring_slab_options_t slab_options = MOORING_SLAB_OPTIONS_INIT;
  mooring_ring_options_t ring_options = MOORING_RING_OPTIONS_INIT;
  mooring_registration_options_t registration_options = MOORING_REGISTRATION_OPTIONS_INIT;
  mooring_slab_t* slab = NULL;
  mooring_ring_t* ring = NULL;
  mooring_registration_t* registration = NULL;
  mooring_error_t* error = NULL;
  slab_options.buffer_bytes = 4096;
  slab_options.buffer_count = 4;

  if (strcmp(mooring_version_string(), "0.1.0") != 0 || mooring_version() != MOORING_VERSION) {
    fprintf(stderr, "the library is version %s\n", mooring_version_string());
    return 1;
  }
  if ((error = mooring_slab_create(&slab_options, &slab)) != NULL) Fail("slab", error);
  if ((error = mooring_ring_create(&ring_options, &ring)) != NULL) Fail("ring", error);
  if ((error = mooring_registration_create(ring, slab, &registration_options, &registration)) !=
      NULL) {
    Fail("registration", error);
  }
  {
    mooring_op_t nop = {0};
    mooring_completion_t completion = {0};
    uint32_t accepted = 0;
    uint32_t count = 0;
    nop.user_data = 42;
    error = mooring_ring_submit_and_reap(ring, &nop, 1, &accepted, &completion, 1, 1,
                                         INT64_C(5000000000), &count);
    if (error != NULL) Fail("nop", error);
    if (accepted != 1 || count != 1 || completion.user_data != 42 || completion.result != 0) {
      fprintf(stderr, "the nop gave %u completions, result %lld\n", count,
              (long long)completion.result);
      return 1;
    }
  }
  mooring_registration_destroy(registration);
  mooring_ring_destroy(ring);
  mooring_slab_destroy(slab);
  mooring_registration_destroy(NULL);
  mooring_ring_destroy(NULL);
  mooring_slab_destroy(NULL);
  mooring_error_destroy(NULL);
  return 0;
}
