#include "measure.h"

#include "call.h"
#include "cpu.h"
#include "memory.h"
#include "pool.h"
#include "wait.h"

#include <string.h>

static int has_isa(const char *isa) { return quern_cpu_rank(isa) >= 0; }

/* ---- reading ---- */

typedef uint64_t u64x4 __attribute__((vector_size(32)));
typedef uint64_t u64x8 __attribute__((vector_size(64)));

/* Eight loads in flight per turn; the sum keeps them alive. n is a multiple of 512 bytes. */
#define READER(name, attribute, vec)                                                     \
  attribute static uint64_t name(const unsigned char *p, int64_t n) {                    \
    vec s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                                          \
    const vec *v = (const vec *)p, *end = (const vec *)(p + n);                          \
    for (; v < end; v += 8) {                                                            \
      s0 += v[0]; s1 += v[1]; s2 += v[2]; s3 += v[3];                                    \
      s0 += v[4]; s1 += v[5]; s2 += v[6]; s3 += v[7];                                    \
    }                                                                                    \
    s0 += s1 + s2 + s3;                                                                  \
    return s0[0] + s0[1] + s0[2] + s0[3];                                                \
  }

READER(read_plain, , u64x4)
#if defined(__x86_64__)
READER(read_v3, __attribute__((target("avx2"))), u64x4)
READER(read_v4, __attribute__((target("avx512f"))), u64x8)
#endif

typedef struct reading {
  const unsigned char *data;
  uint64_t (*read)(const unsigned char *, int64_t);
  uint64_t sums[QUERN_MAX_THREADS][8];
} reading;

#define READ_STEP 65536

static void read_body(void *env, int64_t begin, int64_t end, int32_t worker) {
  reading *r = env;
  r->sums[worker][0] += r->read(r->data + begin * READ_STEP, (end - begin) * READ_STEP);
}

static int32_t read_kernel(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  (void)scalar;
  ctx->parallel(ctx, read_body, buf[0], size[0], 1);
  return 0;
}

quern_status quern_measure_read(int32_t threads, int64_t bytes, int32_t rounds, double *bytes_per_second) {
  static const quern_entry entry = {"measure_read", "generic", read_kernel, 1, 1, 0, 0, 0};
  quern_memory *memory;
  bytes = (bytes + READ_STEP - 1) / READ_STEP * READ_STEP;
  quern_status status = quern_memory_alloc((uint64_t)bytes, &memory);
  if (status) return status;
  memset(memory->data, 1, (size_t)bytes); /* untouched pages would all be one page of zeros */
  reading r = {.data = memory->data, .read = read_plain};
#if defined(__x86_64__)
  if (has_isa("x86-64-v3")) r.read = read_v3;
  if (has_isa("x86-64-v4")) r.read = read_v4;
#endif
  void *buf[] = {&r};
  int64_t size[] = {bytes / READ_STEP}, best = INT64_MAX;
  int32_t violated;
  for (int32_t i = 0; i < rounds && !status; i++) {
    int64_t start = quern_now();
    status = quern_call(&entry, buf, size, NULL, threads, &violated);
    int64_t ns = quern_now() - start;
    if (ns > 0 && ns < best) best = ns;
  }
  quern_memory_release(memory);
  *bytes_per_second = (double)bytes * 1e9 / (double)best;
  return status;
}

/* ---- multiply-adds ---- */

typedef float f32x8 __attribute__((vector_size(32)));
typedef float f32x16 __attribute__((vector_size(64)));
typedef double f64x4 __attribute__((vector_size(32)));
typedef double f64x8 __attribute__((vector_size(64)));

#define FMA_TURNS 4096
#define FMA_CHAINS 12 /* more than latency times units of any core so far */

/* Written as instructions: a compiler would fold such chains. */
#define FMA_ONE(op, c) __asm__ volatile(op " %1, %1, %0" : "+v"(c) : "v"(m));
#define FMA(name, isa, op, vec, scalar_type)                                                                           \
  __attribute__((target(isa))) static void name(void) {                                                                \
    vec m = (vec){0} + (scalar_type)0.5, c0 = m, c1 = m, c2 = m, c3 = m, c4 = m, c5 = m, c6 = m, c7 = m, c8 = m, c9 = m, \
        c10 = m, c11 = m;                                                                                              \
    for (int i = 0; i < FMA_TURNS; i++) {                                                                              \
      FMA_ONE(op, c0) FMA_ONE(op, c1) FMA_ONE(op, c2) FMA_ONE(op, c3) FMA_ONE(op, c4) FMA_ONE(op, c5)                   \
      FMA_ONE(op, c6) FMA_ONE(op, c7) FMA_ONE(op, c8) FMA_ONE(op, c9) FMA_ONE(op, c10) FMA_ONE(op, c11)                 \
    }                                                                                                                  \
  }

#if defined(__x86_64__)
FMA(fma_f32_v3, "avx2,fma", "vfmadd213ps", f32x8, float)
FMA(fma_f64_v3, "avx2,fma", "vfmadd213pd", f64x4, double)
FMA(fma_f32_v4, "avx512f", "vfmadd213ps", f32x16, float)
FMA(fma_f64_v4, "avx512f", "vfmadd213pd", f64x8, double)
#endif

static void fma_body(void *env, int64_t begin, int64_t end, int32_t worker) {
  (void)worker;
  for (int64_t i = begin; i < end; i++) (*(void (**)(void))env)();
}

static int32_t fma_kernel(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  (void)scalar;
  ctx->parallel(ctx, fma_body, buf[0], size[0], 1);
  return 0;
}

quern_status quern_measure_fma(int32_t threads, int f64, int32_t rounds, double *flops_per_second) {
  static const quern_entry entry = {"measure_fma", "generic", fma_kernel, 1, 1, 0, 0, 0};
  void (*loop)(void) = NULL;
  double lanes = 0;
#if defined(__x86_64__)
  if (has_isa("x86-64-v3")) loop = f64 ? fma_f64_v3 : fma_f32_v3, lanes = f64 ? 4 : 8;
  if (has_isa("x86-64-v4")) loop = f64 ? fma_f64_v4 : fma_f32_v4, lanes = f64 ? 8 : 16;
#else
  (void)f64;
#endif
  *flops_per_second = 0;
  if (!loop) return QUERN_OK;
  void *buf[] = {&loop};
  /* Short passes, many of them: on a machine that is shared, some fall between the times that others are on the core. */
  int64_t size[] = {128}, best = INT64_MAX;
  int32_t violated;
  for (int32_t i = 0; i < 8 * rounds; i++) {
    int64_t start = quern_now();
    quern_status status = quern_call(&entry, buf, size, NULL, threads, &violated);
    if (status) return status;
    int64_t ns = quern_now() - start;
    if (ns > 0 && ns < best) best = ns;
  }
  *flops_per_second = 2 * lanes * FMA_CHAINS * FMA_TURNS * (double)size[0] * 1e9 / (double)best;
  return QUERN_OK;
}
