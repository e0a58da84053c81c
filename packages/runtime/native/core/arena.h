/* Scratch memory of calls: one block per worker number and one shared block, grown on demand and kept.
 * Every thread that calls kernels has its own arena, freed when the thread ends. */
#ifndef QUERN_ARENA_H
#define QUERN_ARENA_H

#include "status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct quern_arena {
  unsigned char **scratch; /* one per worker number */
  unsigned char *shared;
  int32_t workers;
  int64_t scratch_bytes, shared_bytes; /* what every block has at least */
} quern_arena;

/* The calling thread's arena with at least the given blocks, 64-byte aligned, contents undefined. */
quern_status quern_arena_get(int32_t workers, int64_t scratch_bytes, int64_t shared_bytes, quern_arena **arena);

#endif
