#include "call.h"

#include "arena.h"
#include "pool.h"

quern_status quern_call(const quern_entry *entry, void *const *buf, const int64_t *size, const quern_scalar *scalar,
                        int32_t threads, int32_t *violated) {
  quern_arena *arena;
  threads = quern_pool_threads(threads);
  quern_status status = quern_arena_get(threads, entry->scratch_bytes, entry->shared_bytes, &arena);
  if (status) return status;
  quern_ctx ctx = {QUERN_ABI, threads, 0, quern_pool_parallel, arena->scratch, arena->shared};
  *violated = entry->fn(&ctx, buf, size, scalar);
  return *violated ? QUERN_E_ASSUMPTION : QUERN_OK;
}
