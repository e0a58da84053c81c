// Times cblas_sgemm or cblas_dgemm of two libraries in one process, on the same A and B, in turns: ours, peer, peer, ours, ...
// A turn is one call that warms up and some that are timed one by one; with more than one thread there is a pause between turns,
// so that the threads of one library, which look for work for a while, do not take cores from the other.
//   compare OURS PEER TYPE N THREADS TURNS   prints one line of JSON with every time in seconds
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"

typedef void (*sgemm_fn)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *, int);
typedef void (*dgemm_fn)(int, int, int, int, int, int, double, const double *, int, const double *, int, double, double *, int);

// With one thread: the time that this thread was on a core, so that processes that share the core do not count. With more: the clock.
static clockid_t the_clock;
static double now(void) {
  struct timespec t;
  clock_gettime(the_clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *need(void *lib, const char *name) {
  void *p = dlsym(lib, name);
  if (p) return p;
  fprintf(stderr, "%s\n", dlerror());
  exit(2);
}

static void *load(const char *path) {
  void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (lib) return lib;
  fprintf(stderr, "%s\n", dlerror());
  exit(2);
}

static int n, f64;
static void *a, *b, *c[2], *gemm[2];

static void call(int who) {
  if (f64) ((dgemm_fn)gemm[who])(101, 111, 111, n, n, n, 1, a, n, b, n, 0, c[who], n);
  else ((sgemm_fn)gemm[who])(101, 111, 111, n, n, n, 1, a, n, b, n, 0, c[who], n);
}

static double at(const void *m, size_t i) { return f64 ? ((const double *)m)[i] : (double)((const float *)m)[i]; }

static void *matrix(uint32_t seed) {
  size_t count = (size_t)n * (size_t)n, size = f64 ? 8 : 4;
  void *m = aligned_alloc(4096, (count * size + 4095) / 4096 * 4096);
  if (!m) exit(3);
  for (size_t i = 0; i < count; i++) {
    seed = seed * 1664525u + 1013904223u;
    double x = (double)(int32_t)seed / 2147483648.0;
    if (f64) ((double *)m)[i] = x;
    else ((float *)m)[i] = (float)x;
  }
  return m;
}

int main(int argc, char **argv) {
  if (argc != 7) return 1;
  void *lib[2] = {load(argv[1]), load(argv[2])};
  f64 = !strcmp(argv[3], "f64");
  n = atoi(argv[4]);
  const int threads = atoi(argv[5]), turns = atoi(argv[6]);
  the_clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  for (int i = 0; i < 2; i++) gemm[i] = need(lib[i], f64 ? "cblas_dgemm" : "cblas_sgemm");
  ((void (*)(int))need(lib[0], "quern_blas_set_num_threads"))(threads);
  ((void (*)(int))need(lib[1], "openblas_set_num_threads"))(threads);
  const char *isa = ((const char *(*)(void))need(lib[0], "quern_blas_get_isa"))();
  const char *core = ((const char *(*)(void))need(lib[1], "openblas_get_corename"))();
  const char *config = ((const char *(*)(void))need(lib[1], "openblas_get_config"))();
  a = matrix(1), b = matrix(2), c[0] = matrix(3), c[1] = matrix(4);

  double start = now();
  call(0), call(1);
  double pair = now() - start;
  // About 40 ms of timed calls to a turn, but no more than 16 calls.
  int calls = (int)(0.08 / pair);
  if (calls < 1) calls = 1;
  if (calls > 16) calls = 16;

  double *times[2], peak = 0;
  for (int i = 0; i < 2; i++) times[i] = malloc(sizeof(double) * (size_t)(turns * calls));
  for (int t = 0; t < turns; t++) {
    double p;
    if (quern_measure_fma(threads, f64, 2, &p) == QUERN_OK && p > peak) peak = p;
    for (int i = 0; i < 2; i++) {
      const int who = (t + i) % 2;
      if (threads > 1) nanosleep(&(struct timespec){.tv_nsec = 60000000}, NULL);
      call(who);
      for (int k = 0; k < calls; k++) {
        start = now();
        call(who);
        times[who][t * calls + k] = now() - start;
      }
    }
  }

  double worst = 0;
  for (size_t i = 0; i < (size_t)n * (size_t)n; i++) {
    double d = fabs(at(c[0], i) - at(c[1], i));
    if (!(d <= worst)) worst = d;
  }
  printf("{\"type\":\"%s\",\"n\":%d,\"threads\":%d,\"clock\":\"%s\",\"isa\":\"%s\",\"peerCore\":\"%s\",\"peerConfig\":\"%s\",\"peakFlops\":%.6g,\"largestDifference\":%.3g", argv[3], n, threads, threads == 1 ? "thread" : "wall", isa, core, config, peak, worst);
  for (int i = 0; i < 2; i++) {
    printf(",\"%s\":[", i ? "peer" : "ours");
    for (int k = 0; k < turns * calls; k++) printf("%s%.7g", k ? "," : "", times[i][k]);
    printf("]");
  }
  printf("}\n");
  return 0;
}
