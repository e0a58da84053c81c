// Measures the largest error of functions over arrays, in units in the last place of the exact result. f32: every argument (or every STEP-th), against
// doubles of the C library. f64, and pow: random arguments of every exponent and of the range that matters, against libquadmath.
//   accuracy LIBRARY ISA STEP COUNT   prints a line of JSON for each function and dtype
#include <dlfcn.h>
#include <math.h>
#include <quadmath.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quern.h"

enum { N = 65536 };
static struct { const char *name; double (*f)(double); __float128 (*q)(__float128); double low, high; } const FUNCTIONS[] = {
  {"exp", exp, expq, -746, 710}, {"exp2", exp2, exp2q, -1076, 1025}, {"log", log, logq, 0, 4}, {"log2", log2, log2q, 0, 4},
  {"sin", sin, sinq, -20, 20}, {"cos", cos, cosq, -20, 20}, {"tanh", tanh, tanhq, -20, 20}, {"erf", erf, erfq, -6.2, 6.2},
};
static float x32[N], y32[N], z32[N];
static double x64[N], y64[N], z64[N];
static unsigned char scratch_bytes[1 << 16] __attribute__((aligned(64)));
static unsigned char *const scratch[1] = {scratch_bytes};
static void alone(const quern_ctx *ctx, quern_body body, void *env, int64_t n, int64_t grain) {
  (void)ctx, (void)grain;
  if (n > 0) body(env, 0, n, 0);
}
static const quern_ctx ctx = {QUERN_ABI, 1, 0, alone, scratch, scratch_bytes};
static const quern_library *library;

static quern_kernel find(const char *fn, const char *dtype, const char *isa) {
  char name[64];
  snprintf(name, sizeof name, "%s_%s", fn, dtype);
  for (int i = 0; i < library->count; i++) if (!strcmp(library->entries[i].name, name) && !strcmp(library->entries[i].isa, isa)) return library->entries[i].fn;
  fprintf(stderr, "no kernel %s for %s\n", name, isa);
  exit(2);
}
static uint64_t state = 88172645463325252u;
static uint64_t bits(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}
static double unit(void) { return (double)(bits() >> 11) * 0x1p-53; }

// Infinity stands for a result that is not what it must be at all.
static double off(double got, __float128 want, int digits, int least, double most) {
  if (isnanq(want)) return isnan(got) ? 0 : INFINITY;
  if (fabsq(want) >= most) return isinf(got) && (got > 0) == (want > 0) ? 0 : INFINITY;
  if (!isfinite(got) || (want == 0 && (got != 0 || !signbit(got) != !signbitq(want)))) return INFINITY;
  int e;
  frexpq(want, &e);
  return (double)ldexpq(fabsq((__float128)got - want), digits - (e < least ? least : e));
}
static double off32(float got, __float128 want) { return off(got, want, 24, -125, 3.4028235677973366e38); }
static double off64(double got, __float128 want) { return off(got, want, 53, -1021, 1.797693134862315807e308); }

static void report(const char *fn, const char *dtype, double worst, double at, double and_, unsigned long long count) {
  printf("{\"fn\": \"%s\", \"dtype\": \"%s\", \"ulp\": %.4f, \"at\": \"%a\"", fn, dtype, worst, at);
  if (!strcmp(fn, "pow")) printf(", \"to\": \"%a\"", and_);
  printf(", \"arguments\": %llu}\n", count);
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 5) return 1;
  void *lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!lib) return fprintf(stderr, "%s\n", dlerror()), 2;
  library = ((const quern_library *(*)(void))dlsym(lib, "quern_library_get"))();
  const char *isa = argv[2];
  const unsigned step = (unsigned)atoi(argv[3]);
  const unsigned long long count = strtoull(argv[4], 0, 10);
  for (size_t k = 0; k < sizeof FUNCTIONS / sizeof *FUNCTIONS; k++) {
    const quern_kernel f32 = find(FUNCTIONS[k].name, "f32", isa), f64 = find(FUNCTIONS[k].name, "f64", isa);
    double worst = 0, at = 0;
    unsigned long long seen = 0;
    for (uint64_t b = 0; b >> 32 == 0;) {
      int n = 0;
      for (; n < N && b >> 32 == 0; b += step, n++) memcpy(x32 + n, &(uint32_t){(uint32_t)b}, 4);
      void *const buf[] = {x32, z32};
      const int64_t size[] = {n, 1, 1};
      f32(&ctx, buf, size, 0);
      for (int i = 0; i < n; i++) {
        const double e = off32(z32[i], FUNCTIONS[k].f(x32[i]));
        if (e > worst) worst = e, at = x32[i];
      }
      seen += (unsigned)n;
    }
    report(FUNCTIONS[k].name, "f32", worst, at, 0, seen);
    worst = at = 0, seen = 0;
    for (; seen < count; seen += N) {
      for (int i = 0; i < N; i++) {
        const double x = FUNCTIONS[k].low + (FUNCTIONS[k].high - FUNCTIONS[k].low) * unit();
        if (i % 4 == 0) memcpy(x64 + i, &(uint64_t){bits()}, 8); // every exponent
        else x64[i] = i % 4 == 1 ? x : i % 4 == 2 ? x / 16 : 1 + (unit() - 0.5) / (i % 8 == 3 ? 16 : 65536);
      }
      void *const buf[] = {x64, z64};
      const int64_t size[] = {N, 1, 1};
      f64(&ctx, buf, size, 0);
      for (int i = 0; i < N; i++) {
        const double e = off64(z64[i], FUNCTIONS[k].q(x64[i]));
        if (e > worst) worst = e, at = x64[i];
      }
    }
    report(FUNCTIONS[k].name, "f64", worst, at, 0, seen);
  }
  double worst[2] = {0, 0}, at[2] = {0, 0}, to[2] = {0, 0};
  unsigned long long seen = 0;
  for (; seen < count; seen += N) {
    for (int i = 0; i < N; i++) {
      const uint64_t a = bits(), b = bits();
      if (i % 8 == 0) { // every exponent
        memcpy(x64 + i, &a, 8), memcpy(y64 + i, &b, 8), memcpy(x32 + i, &a, 4), memcpy(y32 + i, &b, 4);
        continue;
      }
      x64[i] = i % 2 ? exp((unit() - 0.5) * 1400) : 1 + (unit() - 0.5) * 0.9;
      y64[i] = (unit() - 0.5) * 1480 / log(x64[i]);
      x32[i] = (float)(i % 2 ? exp((unit() - 0.5) * 170) : x64[i]), y32[i] = (float)((unit() - 0.5) * 190 / log(x32[i]));
    }
    void *const b32[] = {x32, y32, z32}, *const b64[] = {x64, y64, z64};
    const int64_t size[] = {N, 1, 1, 1};
    find("pow", "f32", isa)(&ctx, b32, size, 0), find("pow", "f64", isa)(&ctx, b64, size, 0);
    for (int i = 0; i < N; i++) {
      const double e[] = {off32(z32[i], pow(x32[i], y32[i])), off64(z64[i], powq(x64[i], y64[i]))};
      for (int d = 0; d < 2; d++) if (e[d] > worst[d]) worst[d] = e[d], at[d] = d ? x64[i] : x32[i], to[d] = d ? y64[i] : y32[i];
    }
  }
  for (int d = 0; d < 2; d++) report("pow", d ? "f64" : "f32", worst[d], at[d], to[d], seen);
  return 0;
}
