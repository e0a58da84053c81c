#include "pool.h"

#include "chunks.h"
#include "cpus.h"
#include "wait.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A loop's whole state is one word, so that taking a chunk and being counted as busy is one atomic step and the caller
 * waits for nobody who merely looked:   chunks not yet taken << 24 | threads allowed << 12 | workers inside a chunk */
#define BUSY_BITS 12
#define BUSY_MASK ((UINT64_C(1) << BUSY_BITS) - 1)
#define CHUNK_SHIFT (2 * BUSY_BITS)
#define ONE_CHUNK (UINT64_C(1) << CHUNK_SHIFT)

/* How long a worker looks for the next loop, and a caller for the last chunk, before sleeping. */
#define SPIN_MAX_NS 50000
#define SPIN_MIN_NS 5000

typedef struct worker {
  _Alignas(64) _Atomic uint32_t asleep;
  pthread_t thread;
  int32_t id;
} worker;

static struct pool {
  _Alignas(64) _Atomic uint64_t word;
  _Alignas(64) _Atomic uint32_t caller_asleep;
  _Alignas(64) _Atomic int32_t taken; /* 1 while a thread owns the pool: a loop, or a start or stop of workers */
  _Atomic int32_t stopping;
  _Atomic int32_t workers;
  _Atomic int32_t limit;
  _Atomic int64_t loops, inline_loops, sleeps;
  /* The current loop; written by the owner while no chunk is open. */
  quern_body body;
  void *env;
  quern_chunks chunks;
} pool;

static worker workers[QUERN_MAX_THREADS];
static int32_t cpus, cap;

static _Thread_local int32_t my_worker;
static _Thread_local int32_t inside;

static uint64_t chunks_left(uint64_t word) { return word >> CHUNK_SHIFT; }
static int32_t threads_allowed(uint64_t word) { return (int32_t)(word >> BUSY_BITS & BUSY_MASK); }

static void run_chunk(uint64_t left) {
  int64_t begin, end;
  quern_chunks_range(&pool.chunks, pool.chunks.count - (int64_t)left, &begin, &end);
  pool.body(pool.env, begin, end, my_worker);
}

/* A worker's part in the open loop: chunks until none is left. Returns 0 when there was none for it. */
static int work(int32_t id) {
  uint64_t word = atomic_load_explicit(&pool.word, memory_order_relaxed);
  for (;;) {
    if (!chunks_left(word) || id >= threads_allowed(word)) return 0;
    if (atomic_compare_exchange_weak_explicit(&pool.word, &word, word - ONE_CHUNK + 1, memory_order_acq_rel, memory_order_relaxed))
      break;
  }
  inside = 1;
  for (;;) {
    run_chunk(chunks_left(word));
    word = atomic_load_explicit(&pool.word, memory_order_relaxed);
    uint64_t next;
    do next = chunks_left(word) ? word - ONE_CHUNK : word - 1;
    while (!atomic_compare_exchange_weak(&pool.word, &word, next));
    if (!chunks_left(word)) {
      if (!(next & BUSY_MASK) && atomic_exchange(&pool.caller_asleep, 0)) quern_wake(&pool.caller_asleep);
      break;
    }
  }
  inside = 0;
  return 1;
}

static int work_waits(int32_t id) {
  uint64_t word = atomic_load(&pool.word);
  return (chunks_left(word) && id < threads_allowed(word)) || atomic_load(&pool.stopping);
}

static int spin(int32_t id, int64_t ns) {
  int64_t until = quern_now() + ns;
  do {
    for (int i = 0; i < 32; i++) {
      uint64_t word = atomic_load_explicit(&pool.word, memory_order_relaxed);
      if (chunks_left(word) && id < threads_allowed(word)) return 1;
      quern_relax();
    }
    if (atomic_load_explicit(&pool.stopping, memory_order_relaxed)) return 1;
  } while (quern_now() < until);
  return 0;
}

static void *worker_main(void *arg) {
  worker *self = arg;
  my_worker = self->id;
  int64_t patience = SPIN_MAX_NS;
  while (!atomic_load(&pool.stopping)) {
    if (work(self->id)) continue;
    if (spin(self->id, patience)) {
      if (patience < SPIN_MAX_NS) patience *= 2;
      continue;
    }
    if (patience > SPIN_MIN_NS) patience /= 2; /* nobody came: look less long the next time */
    atomic_store(&self->asleep, 1);
    if (work_waits(self->id)) {
      atomic_store(&self->asleep, 0);
      continue;
    }
    atomic_fetch_add_explicit(&pool.sleeps, 1, memory_order_relaxed);
    while (atomic_load(&self->asleep)) quern_wait(&self->asleep, 1);
  }
  return NULL;
}

static void wake_worker(worker *w) {
  if (atomic_load(&w->asleep) && atomic_exchange(&w->asleep, 0)) quern_wake(&w->asleep);
}

/* In the child of a fork only the forking thread exists: the pool starts anew. */
static void after_fork(void) {
  quern_wait_after_fork();
  atomic_store(&pool.word, 0);
  atomic_store(&pool.caller_asleep, 0);
  atomic_store(&pool.taken, 0);
  atomic_store(&pool.stopping, 0);
  atomic_store(&pool.workers, 0);
  for (int i = 0; i < QUERN_MAX_THREADS; i++) atomic_store(&workers[i].asleep, 0);
  my_worker = 0;
  inside = 0;
}

static void init(void) {
  cpus = quern_cpus();
  const char *text = getenv("QUERN_NUM_THREADS");
  if (text && *text) {
    char *end;
    long n = strtol(text, &end, 10);
    if (!*end && n >= 1) cap = n > QUERN_MAX_THREADS ? QUERN_MAX_THREADS : (int32_t)n;
  }
  pthread_atfork(NULL, NULL, after_fork);
}

static void once(void) {
  static pthread_once_t done = PTHREAD_ONCE_INIT;
  pthread_once(&done, init);
}

static int32_t capped(int32_t n) {
  if (n > QUERN_MAX_THREADS) n = QUERN_MAX_THREADS;
  if (cap && n > cap) n = cap;
  return n < 1 ? 1 : n;
}

int32_t quern_pool_configure(int32_t limit) {
  once();
  atomic_store(&pool.limit, limit > 0 ? capped(limit) : 0);
  return quern_pool_threads(0);
}

int32_t quern_pool_threads(int32_t requested) {
  once();
  int32_t limit = atomic_load(&pool.limit);
  if (!limit) limit = capped(cpus);
  return requested > 0 ? capped(requested) : limit;
}

/* Starts workers until there are threads - 1 of them; returns how many threads a loop can have. The pool is taken. */
static int32_t start(int32_t threads) {
  int32_t have = atomic_load(&pool.workers);
  if (have >= threads - 1) return threads;
  /* Signals belong to the threads of the host program. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, (size_t)2 << 20);
  while (have < threads - 1) {
    worker *w = &workers[have + 1];
    w->id = have + 1;
    atomic_store(&w->asleep, 0);
    if (pthread_create(&w->thread, &attr, worker_main, w)) break; /* fewer threads, not an error */
    have++;
  }
  pthread_attr_destroy(&attr);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  atomic_store(&pool.workers, have);
  return have + 1 < threads ? have + 1 : threads;
}

static int take(void) {
  int32_t nobody = 0;
  return !atomic_load_explicit(&pool.taken, memory_order_relaxed) &&
         atomic_compare_exchange_strong_explicit(&pool.taken, &nobody, 1, memory_order_acquire, memory_order_relaxed);
}

static void give_back(void) { atomic_store_explicit(&pool.taken, 0, memory_order_release); }

/* All chunks are taken; wait for those that workers are inside of. */
static void join(void) {
  int64_t until = quern_now() + SPIN_MAX_NS;
  for (int i = 0; atomic_load_explicit(&pool.word, memory_order_acquire) & BUSY_MASK; i++) {
    quern_relax();
    if (i % 32 == 31 && quern_now() > until) break;
  }
  while (atomic_load(&pool.word) & BUSY_MASK) {
    atomic_store(&pool.caller_asleep, 1);
    if (!(atomic_load(&pool.word) & BUSY_MASK)) break;
    quern_wait(&pool.caller_asleep, 1);
  }
  atomic_store_explicit(&pool.caller_asleep, 0, memory_order_relaxed);
}

static void run_loop(quern_body body, void *env, int64_t n, int64_t grain, int32_t threads) {
  pool.body = body;
  pool.env = env;
  quern_chunks_cut(&pool.chunks, n, grain, threads);
  uint64_t word = (uint64_t)pool.chunks.count << CHUNK_SHIFT | (uint64_t)threads << BUSY_BITS;
  atomic_store(&pool.word, word);
  for (int32_t i = 1; i < threads; i++) wake_worker(&workers[i]);
  inside = 1;
  for (;;) {
    word = atomic_load_explicit(&pool.word, memory_order_relaxed);
    while (chunks_left(word) && !atomic_compare_exchange_weak_explicit(&pool.word, &word, word - ONE_CHUNK,
                                                                      memory_order_acq_rel, memory_order_relaxed)) {
    }
    if (!chunks_left(word)) break;
    run_chunk(chunks_left(word));
  }
  inside = 0;
  join();
}

void quern_pool_parallel(const quern_ctx *ctx, quern_body body, void *env, int64_t n, int64_t grain) {
  if (n <= 0) return;
  if (grain < 1) grain = 1;
  int32_t threads = ctx->nthreads;
  int64_t most = n / grain + (n % grain != 0);
  if (threads > most) threads = (int32_t)most;
  if (threads <= 1 || inside) {
    body(env, 0, n, my_worker);
    return;
  }
  once();
  if (!take()) {
    atomic_fetch_add_explicit(&pool.inline_loops, 1, memory_order_relaxed);
    inside = 1;
    body(env, 0, n, my_worker);
    inside = 0;
    return;
  }
  threads = start(threads);
  atomic_fetch_add_explicit(&pool.loops, 1, memory_order_relaxed);
  if (threads > 1) run_loop(body, env, n, grain, threads);
  else body(env, 0, n, my_worker);
  give_back();
}

void quern_pool_stop(void) {
  while (!take()) quern_relax(); /* a loop of another thread ends soon, or a stop does */
  int32_t have = atomic_load(&pool.workers);
  atomic_store(&pool.stopping, 1);
  for (int32_t i = 1; i <= have; i++) {
    wake_worker(&workers[i]);
    pthread_join(workers[i].thread, NULL);
  }
  atomic_store(&pool.workers, 0);
  atomic_store(&pool.stopping, 0);
  give_back();
}

void quern_pool_info_get(quern_pool_info *info) {
  once();
  memset(info, 0, sizeof *info);
  info->limit = quern_pool_threads(0);
  info->cpus = cpus;
  info->cap = cap;
  info->workers = atomic_load(&pool.workers);
  info->loops = atomic_load(&pool.loops);
  info->inline_loops = atomic_load(&pool.inline_loops);
  info->sleeps = atomic_load(&pool.sleeps);
}
