// Times functions over arrays in L1, one thread, in turns (ours, peer, peer, ours, ...): a generated kernel library against glibc's libmvec,
// whose vector functions a loop calls as compilers do. Compiled for the vectors to compare: -mavx512f, or -mavx2.
//   compare OURS ISA TURNS   prints a line of JSON for each function and dtype: nanoseconds an element, every turn; "peer" is empty where libmvec has no such function
#include <dlfcn.h>
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "quern.h"

#ifdef __AVX512F__
typedef __m512 F;
typedef __m512d D;
#define LETTER 'e'
#else
typedef __m256 F;
typedef __m256d D;
#define LETTER 'd'
#endif
enum { N32 = 4096, N64 = 2048, L32 = sizeof(F) / 4, L64 = sizeof(D) / 8 };

// The time that this thread was on a core: processes that share the core do not count.
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
static void alone(const quern_ctx *ctx, quern_body body, void *env, int64_t n, int64_t grain) {
  (void)ctx, (void)grain;
  if (n > 0) body(env, 0, n, 0);
}

static struct { const char *name; double low, high; } const FUNCTIONS[] = {
  {"exp", -10, 10}, {"exp2", -10, 10}, {"log", 1e-3, 1e3}, {"log2", 1e-3, 1e3}, {"sin", -10, 10}, {"cos", -10, 10}, {"tanh", -5, 5}, {"erf", -3, 3}, {"pow", 1e-2, 20},
};
static _Alignas(64) float x32[N32], y32[N32], z32[2][N32];
static _Alignas(64) double x64[N64], y64[N64], z64[2][N64];
static unsigned char scratch_bytes[1 << 16] __attribute__((aligned(64)));
static unsigned char *const scratch[1] = {scratch_bytes};
static const quern_ctx ctx = {QUERN_ABI, 1, 0, alone, scratch, scratch_bytes};

static int f64, two;
static quern_kernel kernel;
static void *peer;

static void ours(void) {
  void *x = f64 ? (void *)x64 : x32, *y = f64 ? (void *)y64 : y32, *z = f64 ? (void *)z64[0] : z32[0], *one[] = {x, z}, *both[] = {x, y, z};
  const int64_t size[] = {f64 ? N64 : N32, 1, 1, 1};
  if (kernel(&ctx, two ? both : one, size, 0)) exit(4);
}
static void theirs(void) {
  if (f64 && two) for (int i = 0; i < N64; i += L64) *(D *)(z64[1] + i) = ((D(*)(D, D))peer)(*(const D *)(x64 + i), *(const D *)(y64 + i));
  else if (f64) for (int i = 0; i < N64; i += L64) *(D *)(z64[1] + i) = ((D(*)(D))peer)(*(const D *)(x64 + i));
  else if (two) for (int i = 0; i < N32; i += L32) *(F *)(z32[1] + i) = ((F(*)(F, F))peer)(*(const F *)(x32 + i), *(const F *)(y32 + i));
  else for (int i = 0; i < N32; i += L32) *(F *)(z32[1] + i) = ((F(*)(F))peer)(*(const F *)(x32 + i));
}

static double turn(void (*f)(void)) {
  enum { PASSES = 60 };
  f();
  const double start = now();
  for (int i = 0; i < PASSES; i++) f();
  return (now() - start) * 1e9 / PASSES / (f64 ? N64 : N32);
}
static void print(const char *name, const double *t, int n) {
  printf(", \"%s\": [", name);
  for (int i = 0; i < n; i++) printf("%s%.4f", i ? ", " : "", t[i]);
  printf("]");
}

int main(int argc, char **argv) {
  if (argc != 4) return 1;
  void *lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL), *mvec = dlopen("libmvec.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!lib || !mvec) return fprintf(stderr, "%s\n", dlerror()), 2;
  const quern_library *library = ((const quern_library *(*)(void))dlsym(lib, "quern_library_get"))();
  const int turns = atoi(argv[3]);
  double *mine = malloc((size_t)turns * sizeof *mine), *other = malloc((size_t)turns * sizeof *other);
  for (size_t k = 0; k < sizeof FUNCTIONS / sizeof *FUNCTIONS; k++) for (f64 = 0; f64 < 2; f64++) {
    char name[64], symbol[64];
    two = !strcmp(FUNCTIONS[k].name, "pow");
    snprintf(name, sizeof name, "%s_f%d", FUNCTIONS[k].name, f64 ? 64 : 32);
    snprintf(symbol, sizeof symbol, "_ZGV%cN%d%s_%s%s", LETTER, f64 ? L64 : L32, two ? "vv" : "v", FUNCTIONS[k].name, f64 ? "" : "f");
    kernel = 0;
    for (int i = 0; i < library->count; i++) if (!strcmp(library->entries[i].name, name) && !strcmp(library->entries[i].isa, argv[2])) kernel = library->entries[i].fn;
    if (!kernel) return fprintf(stderr, "no kernel %s for %s\n", name, argv[2]), 2;
    peer = dlsym(mvec, symbol);
    uint32_t seed = 1;
    for (int i = 0; i < N32; i++) {
      double u = (double)(seed = seed * 1664525u + 1013904223u) / 4294967296.0, v = (double)(seed = seed * 1664525u + 1013904223u) / 4294967296.0;
      u = FUNCTIONS[k].low + (FUNCTIONS[k].high - FUNCTIONS[k].low) * u, v = 6 * v - 3;
      x32[i] = (float)u, y32[i] = (float)v;
      if (i < N64) x64[i] = u, y64[i] = v;
    }
    for (int i = 0; i < turns; i++) {
      if (i % 2) { if (peer) other[i] = turn(theirs); mine[i] = turn(ours); }
      else { mine[i] = turn(ours); if (peer) other[i] = turn(theirs); }
    }
    double apart = 0; // in units of the last place of f32 or f64, roughly: both compute the same function
    for (int i = 0; peer && i < (f64 ? N64 : N32); i++) {
      const double a = f64 ? z64[0][i] : z32[0][i], b = f64 ? z64[1][i] : z32[1][i], d = (a > b ? a - b : b - a) / ((b < 0 ? -b : b) + 1e-30) * (f64 ? 0x1p52 : 0x1p23);
      if (d > apart) apart = d;
    }
    printf("{\"fn\": \"%s\", \"dtype\": \"f%d\", \"apart\": %.2f", FUNCTIONS[k].name, f64 ? 64 : 32, apart);
    print("ours", mine, turns), print("peer", other, peer ? turns : 0);
    printf("}\n");
    fflush(stdout);
  }
  return 0;
}
