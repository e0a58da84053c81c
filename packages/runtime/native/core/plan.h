/* A plan: launches that run one after another in one call, with arguments that stay where their owner can change them
 * between runs (the position of a decoder, the length of a cache) without any marshalling. */
#ifndef QUERN_PLAN_H
#define QUERN_PLAN_H

#include "library.h"
#include "memory.h"

typedef struct quern_launch {
  const quern_entry *entry;
  quern_lib *lib;
  int32_t threads; /* 0: the pool's limit */
  int32_t first_buf;
  int64_t first_slot; /* of its sizes; its scalars follow */
} quern_launch;

typedef struct quern_plan {
  int32_t count;
  int32_t buf_count;
  quern_launch *launches;
  void **bufs;
  quern_memory *memory; /* slots of all launches, then `count` nanosecond figures of the last timed run */
  int64_t slot_count;
  _Atomic int32_t running;
  _Atomic int32_t cancelled;
} quern_plan;

/* Room for the given numbers; launches and bufs are zeroed. */
quern_status quern_plan_new(int32_t count, int32_t buf_count, int64_t slot_count, quern_plan **plan);
/* Releases the libraries that its launches hold. */
void quern_plan_free(quern_plan *plan);
/* Runs all launches. On QUERN_E_ASSUMPTION, _MEMORY or _CANCELLED *failed is the launch that did not run. */
quern_status quern_plan_run(quern_plan *plan, int32_t threads, int timed, int32_t *failed, int32_t *violated);

#endif
