/* How a parallel loop is cut into chunks: large ones first, then ever smaller, so that a core which another process
 * has taken ends up with fewer of them and nobody waits long at the end. Pure arithmetic, fixed once a loop starts. */
#ifndef QUERN_CHUNKS_H
#define QUERN_CHUNKS_H

#include <stdint.h>

#define QUERN_MAX_LEVELS 64

typedef struct quern_chunks {
  int64_t n;
  int64_t count; /* of chunks */
  int32_t threads;
  int32_t levels;
  int64_t begin[QUERN_MAX_LEVELS]; /* first iteration of the level */
  int64_t size[QUERN_MAX_LEVELS];  /* iterations per chunk of the level */
} quern_chunks;

/* Each level gives `threads` equal chunks half of what is left; the last level is all chunks of `grain`.
 * n >= 1, grain >= 1, threads >= 1. */
static inline void quern_chunks_cut(quern_chunks *c, int64_t n, int64_t grain, int32_t threads) {
  int64_t begin = 0;
  c->n = n;
  c->threads = threads;
  c->levels = 0;
  for (;;) {
    int64_t left = n - begin;
    int64_t size = left / 2 / threads / grain * grain;
    if (size <= grain || c->levels == QUERN_MAX_LEVELS - 1) {
      if (size < grain) size = grain;
      c->begin[c->levels] = begin;
      c->size[c->levels] = size;
      c->count = (int64_t)c->levels * threads + left / size + (left % size != 0);
      c->levels++;
      return;
    }
    c->begin[c->levels] = begin;
    c->size[c->levels] = size;
    c->levels++;
    begin += size * threads;
  }
}

/* The iterations of chunk k, 0 <= k < count. */
static inline void quern_chunks_range(const quern_chunks *c, int64_t k, int64_t *begin, int64_t *end) {
  int64_t level = k / c->threads;
  if (level >= c->levels) level = c->levels - 1;
  *begin = c->begin[level] + (k - level * c->threads) * c->size[level];
  *end = c->n - *begin <= c->size[level] ? c->n : *begin + c->size[level];
}

#endif
