/* A kernel library written by hand, as the generator would write it, for the tests of the C core and of the addon. */
#include "../include/quern.h"

typedef struct axpy_env {
  const float *x;
  float *y;
  int64_t sx, sy;
  float a;
} axpy_env;

static void axpy_body(void *p, int64_t begin, int64_t end, int32_t worker) {
  const axpy_env *e = p;
  (void)worker;
  for (int64_t i = begin; i < end; i++) e->y[i * e->sy] += e->a * e->x[i * e->sx];
}

/* y += a x;  x: f32[n], y: f32[n], both of any stride; assumption 1: n >= 0 */
static int32_t axpy(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  if (size[0] < 0) return 1;
  axpy_env e = {buf[0], buf[1], size[1], size[2], scalar[0].f32};
  ctx->parallel(ctx, axpy_body, &e, size[0], 4);
  return 0;
}

typedef struct sum_env {
  const quern_ctx *ctx;
  const double *x;
} sum_env;

static void sum_body(void *p, int64_t begin, int64_t end, int32_t worker) {
  const sum_env *e = p;
  double *mine = (double *)e->ctx->scratch[worker];
  for (int64_t i = begin; i < end; i++) mine[0] += e->x[i];
}

/* out[0] = sum of x;  x: f64[n], out: f64[1]. Uses every worker's scratch; its order depends on the threads, which a
 * shipped kernel's must not. */
static int32_t sum(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar) {
  (void)scalar;
  sum_env e = {ctx, buf[0]};
  for (int32_t w = 0; w < ctx->nthreads; w++) *(double *)ctx->scratch[w] = 0;
  ctx->parallel(ctx, sum_body, &e, size[0], 1);
  double *total = (double *)ctx->shared;
  *total = 0;
  for (int32_t w = 0; w < ctx->nthreads; w++) *total += *(double *)ctx->scratch[w];
  *(double *)buf[1] = *total;
  return 0;
}

/* out[i] = the slots of every scalar kind, as f64;  out: f64[5] */
static int32_t scalars(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *s) {
  (void)ctx, (void)size;
  double *out = buf[0];
  out[0] = s[0].f64;
  out[1] = s[1].f32;
  out[2] = (double)s[2].i64;
  out[3] = s[3].i32;
  out[4] = s[4].u32;
  return 0;
}

static const quern_entry entries[] = {
    {"axpy", "generic", axpy, 2, 3, 1, 0, 0},
#if defined(__x86_64__)
    {"axpy", "x86-64", axpy, 2, 3, 1, 0, 0},
    {"axpy", "x86-64-v3", axpy, 2, 3, 1, 0, 0},
#endif
    {"sum", "generic", sum, 2, 3, 0, 64, 64},
    {"scalars", "generic", scalars, 1, 1, 5, 0, 0},
    {"future", "x86-64-v9", axpy, 2, 3, 1, 0, 0},
};

static const quern_library library = {QUERN_ABI, (int32_t)(sizeof entries / sizeof *entries), "sample", entries};

__attribute__((visibility("default"))) const quern_library *quern_library_get(void) { return &library; }
