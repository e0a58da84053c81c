/* The process's one thread pool.
 *
 * Started at the first parallel loop, never before; workers spin for some tens of microseconds after their last chunk and
 * then sleep. A loop belongs to the thread that started it: that thread works through the chunks itself and waits, at
 * the end, only for chunks that another core has really begun. A call that finds the pool taken (a nested loop, or
 * another thread's loop) runs its loop alone in its own thread and never blocks. */
#ifndef QUERN_POOL_H
#define QUERN_POOL_H

#include "../include/quern.h"

#define QUERN_MAX_THREADS 256

typedef struct quern_pool_info {
  int32_t limit;         /* threads that a call gets when it asks for no number */
  int32_t cpus;          /* CPUs that this process may use: affinity mask and cgroup quota */
  int32_t cap;           /* QUERN_NUM_THREADS, or 0 */
  int32_t workers;       /* threads started so far, beside the callers */
  int64_t loops;         /* parallel loops that used the pool */
  int64_t inline_loops;  /* parallel loops that ran in their caller because the pool was taken */
  int64_t sleeps;        /* times a worker went to sleep */
} quern_pool_info;

/* Threads that a call may use: `requested`, or the pool's limit for 0; never above QUERN_NUM_THREADS. */
int32_t quern_pool_threads(int32_t requested);
/* Sets the limit (0: back to the default). More than the CPUs is allowed, QUERN_NUM_THREADS still caps. Returns it. */
int32_t quern_pool_configure(int32_t limit);
/* ctx->parallel of every context. */
void quern_pool_parallel(const quern_ctx *ctx, quern_body body, void *env, int64_t n, int64_t grain);
/* Ends the workers and waits for them; the next parallel loop starts them again. Not to be called from a body. */
void quern_pool_stop(void);
void quern_pool_info_get(quern_pool_info *info);

#endif
