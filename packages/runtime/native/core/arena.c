#include "arena.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_key_t key;
static int key_ready;

static void release_blocks(quern_arena *a) {
  for (int32_t i = 0; i < a->workers; i++) free(a->scratch[i]);
  a->scratch_bytes = 0;
  for (int32_t i = 0; i < a->workers; i++) a->scratch[i] = NULL;
}

static void destroy(void *arg) {
  quern_arena *a = arg;
  release_blocks(a);
  free(a->scratch);
  free(a->shared);
  free(a);
}

static void make_key(void) { key_ready = !pthread_key_create(&key, destroy); }

static quern_arena *mine(void) {
  static pthread_once_t done = PTHREAD_ONCE_INIT;
  pthread_once(&done, make_key);
  if (!key_ready) return NULL;
  quern_arena *a = pthread_getspecific(key);
  if (a) return a;
  a = calloc(1, sizeof *a);
  if (a && pthread_setspecific(key, a)) {
    free(a);
    return NULL;
  }
  return a;
}

static unsigned char *block(int64_t bytes) {
  void *p = NULL;
  /* A cache line more than asked, so that blocks of one size do not share cache sets line for line. */
  if ((uint64_t)bytes > (uint64_t)PTRDIFF_MAX - 128) return NULL;
  return posix_memalign(&p, 64, ((size_t)bytes + 127) & ~(size_t)63) ? NULL : p;
}

static quern_status more_workers(quern_arena *a, int32_t workers) {
  unsigned char **list = realloc(a->scratch, (size_t)workers * sizeof *list);
  if (!list) return QUERN_E_MEMORY;
  a->scratch = list;
  for (; a->workers < workers; a->workers++) {
    list[a->workers] = NULL;
    if (!(list[a->workers] = block(a->scratch_bytes))) return QUERN_E_MEMORY;
  }
  return QUERN_OK;
}

static quern_status larger_scratch(quern_arena *a, int64_t bytes) {
  release_blocks(a); /* first, so that the old and the new never stand side by side */
  for (int32_t i = 0; i < a->workers; i++)
    if (!(a->scratch[i] = block(bytes))) {
      release_blocks(a);
      /* every block must exist even when small: the arena stays usable after a refusal */
      a->scratch_bytes = 0;
      for (int32_t j = 0; j < a->workers; j++) a->scratch[j] = block(0);
      return QUERN_E_MEMORY;
    }
  a->scratch_bytes = bytes;
  return QUERN_OK;
}

quern_status quern_arena_get(int32_t workers, int64_t scratch_bytes, int64_t shared_bytes, quern_arena **arena) {
  quern_arena *a = mine();
  if (!a) return QUERN_E_MEMORY;
  if (workers > a->workers) {
    quern_status s = more_workers(a, workers);
    if (s) return s;
  }
  if (scratch_bytes > a->scratch_bytes) {
    quern_status s = larger_scratch(a, scratch_bytes);
    if (s) return s;
  }
  if (shared_bytes > a->shared_bytes || !a->shared) {
    free(a->shared);
    a->shared_bytes = 0;
    if (!(a->shared = block(shared_bytes))) return QUERN_E_MEMORY;
    a->shared_bytes = shared_bytes;
  }
  *arena = a;
  return QUERN_OK;
}
