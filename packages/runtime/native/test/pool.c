/* The pool under use and abuse: every iteration once, nesting, concurrent callers, stops and restarts, fork, and other
 * processes that take the cores. With the argument "hogs" two busy processes run beside it, and the time of a loop is
 * compared with what its caller would need alone. */
#include "../core/call.h"
#include "../core/chunks.h"
#include "../core/cpus.h"
#include "../core/pool.h"
#include "../core/wait.h"
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void chunks_cover_everything(void) {
  static const int64_t ns[] = {1, 2, 3, 7, 64, 1000, 4097, INT64_C(1) << 40, INT64_MAX}, grains[] = {1, 3, 16, 1000};
  for (int a = 0; a < 9; a++)
    for (int b = 0; b < 4; b++)
      for (int32_t threads = 1; threads <= 9; threads += 4) {
        quern_chunks c;
        int64_t next = 0, begin, end;
        quern_chunks_cut(&c, ns[a], grains[b], threads);
        CHECK(c.count > 0);
        if (c.count > 1000000) continue;
        for (int64_t k = 0; k < c.count; k++) {
          quern_chunks_range(&c, k, &begin, &end);
          CHECK(begin == next && end > begin && end <= ns[a] && begin % grains[b] == 0);
          CHECK(end == ns[a] || end - begin >= grains[b]);
          next = end;
        }
        CHECK(next == ns[a]);
      }
}

typedef struct counts {
  const quern_ctx *ctx;
  int64_t n;
  _Atomic unsigned char *seen;
  _Atomic int32_t busy[QUERN_MAX_THREADS];
  _Atomic int32_t bad_worker;
  int nest;
} counts;

static void count_nested(void *env, int64_t begin, int64_t end, int32_t worker) {
  counts *c = env;
  if (!atomic_load(&c->busy[worker])) atomic_store(&c->bad_worker, 1); /* must be the worker that is inside */
  for (int64_t i = begin; i < end; i++) atomic_fetch_add(&c->seen[i % c->n], 1);
}

static void count_body(void *env, int64_t begin, int64_t end, int32_t worker) {
  counts *c = env;
  if (worker < 0 || worker >= c->ctx->nthreads || atomic_exchange(&c->busy[worker], 1)) atomic_store(&c->bad_worker, 1);
  /* Scratch is this worker's alone while it runs. */
  int64_t *scratch = (int64_t *)c->ctx->scratch[worker];
  if ((uintptr_t)scratch % 64) atomic_store(&c->bad_worker, 1);
  scratch[0] = begin;
  if (c->nest) c->ctx->parallel(c->ctx, count_nested, c, end - begin, 1);
  else
    for (int64_t i = begin; i < end; i++) atomic_fetch_add(&c->seen[i], 1);
  if (scratch[0] != begin) atomic_store(&c->bad_worker, 1);
  atomic_store(&c->busy[worker], 0);
}

static int32_t count_kernel(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  counts *c = buf[0];
  c->ctx = ctx;
  memset(ctx->shared, 1, 100);
  ctx->parallel(ctx, count_body, c, size[0], scalar[0].i64);
  return 0;
}

static const quern_entry count_entry = {"count", "generic", count_kernel, 1, 1, 1, 64, 100};

static int count_once(int64_t n, int64_t grain, int32_t threads, int nest) {
  counts *c = calloc(1, sizeof *c);
  c->n = n;
  c->nest = nest;
  c->seen = calloc((size_t)n + 1, 1);
  void *buf[] = {c};
  quern_scalar scalar[1] = {{.i64 = grain}};
  int32_t violated, ok = !quern_call(&count_entry, buf, &n, scalar, threads, &violated) && !violated;
  int64_t total = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!nest && c->seen[i] != 1) ok = 0;
    total += c->seen[i];
  }
  if (total != n || c->bad_worker) ok = 0;
  free((void *)c->seen);
  free(c);
  return ok;
}

static void counts_right(void) {
  for (int32_t threads = 1; threads <= 8; threads++)
    for (int64_t n = 0; n < 200; n += 1 + n / 5)
      for (int64_t grain = 1; grain < 40; grain *= 3) CHECK(count_once(n, grain, threads, 0));
  for (int i = 0; i < 50; i++) CHECK(count_once(60, 1, 4, 1));
}

static void *many_calls(void *ok) {
  for (int i = 0; i < 400; i++)
    if (!count_once(1 + i % 97, 1, 1 + i % 5, i % 7 == 0)) *(int *)ok = 0;
  return NULL;
}

/* Several threads call at once: one gets the pool, the others go on alone; nobody waits and nothing is lost. */
static void concurrent_callers(void) {
  pthread_t threads[4];
  int ok[4] = {1, 1, 1, 1};
  for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, many_calls, &ok[i]);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    CHECK(ok[i]);
  }
}

static void stop_and_restart(void) {
  quern_pool_info info;
  for (int i = 0; i < 20; i++) {
    CHECK(count_once(100, 1, 4, 0));
    quern_pool_info_get(&info);
    CHECK(info.workers >= 3);
    if (i % 3 == 0) usleep(300); /* let them fall asleep, or not */
    quern_pool_stop();
    quern_pool_info_get(&info);
    CHECK(info.workers == 0);
  }
  quern_pool_stop();
}

static void fork_starts_anew(void) {
  CHECK(count_once(100, 1, 4, 0));
  pid_t child = fork();
  if (child == 0) {
    quern_pool_info info;
    quern_pool_info_get(&info);
    int ok = info.workers == 0 && count_once(500, 1, 4, 0);
    quern_pool_info_get(&info);
    _exit(ok && info.workers == 3 ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(count_once(100, 1, 4, 0));
}

static void memory_refusal_is_a_status(void) {
  quern_entry huge = count_entry;
  huge.scratch_bytes = INT64_C(1) << 60;
  counts c = {0};
  void *buf[] = {&c};
  int64_t n = 1;
  quern_scalar scalar[1] = {{.i64 = 1}};
  int32_t violated = 0;
  CHECK(quern_call(&huge, buf, &n, scalar, 3, &violated) == QUERN_E_MEMORY);
  CHECK(count_once(100, 1, 3, 0));
  huge = count_entry;
  huge.shared_bytes = INT64_MAX;
  CHECK(quern_call(&huge, buf, &n, scalar, 3, &violated) == QUERN_E_MEMORY);
  CHECK(count_once(100, 1, 3, 0));
}

static void limits(void) {
  CHECK(quern_pool_configure(3) == 3 && quern_pool_threads(0) == 3 && quern_pool_threads(2) == 2);
  CHECK(quern_pool_configure(100000) == QUERN_MAX_THREADS);
  int32_t standard = quern_pool_configure(0);
  CHECK(standard >= 1 && standard <= quern_cpus());
}

/* ---- beside other processes ---- */

static volatile double sink;

static void burn_body(void *env, int64_t begin, int64_t end, int32_t worker) {
  (void)env, (void)worker;
  double x = 1;
  for (int64_t i = begin; i < end; i++)
    for (int k = 0; k < 1000; k++) x = x * 1.0000001 + 1e-9;
  sink = x;
}

static int32_t burn_kernel(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  (void)buf, (void)scalar;
  ctx->parallel(ctx, burn_body, NULL, size[0], 1);
  return 0;
}

static double loops_per_second(int32_t threads, int64_t n, int loops) {
  static const quern_entry entry = {"burn", "generic", burn_kernel, 0, 1, 0, 0, 0};
  int32_t violated;
  int64_t start = quern_now();
  for (int i = 0; i < loops; i++) quern_call(&entry, NULL, &n, NULL, threads, &violated);
  return loops * 1e9 / (double)(quern_now() - start);
}

/* Short loops of about 100 us. A pool whose threads wait for each other falls to a few per cent here. */
static void beside_hogs(void) {
  int cpus = quern_cpus();
  if (cpus < 2) return;
  double alone = loops_per_second(2, 64, 2000);
  pid_t hogs[64];
  if (cpus > 64) cpus = 64;
  for (int i = 0; i < cpus; i++)
    if (!(hogs[i] = fork()))
      for (;;) sink = sink + 1;
  usleep(100000);
  double one = 0, two = 0;
  for (int round = 0; round < 3; round++) {
    one += loops_per_second(1, 64, 1500) / 3;
    two += loops_per_second(2, 64, 1500) / 3;
  }
  for (int i = 0; i < cpus; i++) {
    kill(hogs[i], SIGKILL);
    waitpid(hogs[i], NULL, 0);
  }
  printf("loops per second: %.0f alone, beside %d hogs %.0f on one thread and %.0f on two\n", alone, cpus, one, two);
  CHECK(two > 0.5 * one);
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "hogs")) {
    beside_hogs();
    return FINISH();
  }
  chunks_cover_everything();
  limits();
  counts_right();
  concurrent_callers();
  stop_and_restart();
  fork_starts_anew();
  memory_refusal_is_a_status();
  quern_pool_stop();
  return FINISH();
}
