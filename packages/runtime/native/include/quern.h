/* The C ABI between Quern's runtime and every kernel that Quern generates.
 *
 * A kernel is one sequential C function. Where a loop of it is parallel, it hands the loop's body to ctx->parallel,
 * which returns when every iteration is done (fork-join). A kernel allocates nothing, keeps no state and never aborts.
 * This header is the ABI's only definition; generated code includes it or carries the same text. */
#ifndef QUERN_H
#define QUERN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised whenever a struct below changes its layout or meaning; libraries built for another value are refused. */
#define QUERN_ABI 1

/* One scalar argument. The kernel's declaration says which member is meant; a slot is always 8 bytes. */
typedef union quern_scalar {
  double f64;
  float f32;
  int64_t i64;
  int32_t i32;
  uint32_t u32;
} quern_scalar;

/* Iterations [begin, end) of a parallel loop, run by `worker` (0 <= worker < ctx->nthreads). No two bodies that run at
 * the same time within one call share a worker number, so scratch[worker] belongs to the body while it runs. */
typedef void (*quern_body)(void *env, int64_t begin, int64_t end, int32_t worker);

/* What the runtime lends to a kernel for one call. */
typedef struct quern_ctx {
  int32_t abi;      /* QUERN_ABI of the runtime */
  int32_t nthreads; /* the most bodies that can run at once; worker numbers are below it */
  void *pool;       /* opaque */
  /* Runs body over [0, n) in chunks of at least `grain` iterations whose bounds are multiples of `grain` (the last one
   * ends at n), in any order; returns when all are done. Called from within a body, it runs in that body's thread. */
  void (*parallel)(const struct quern_ctx *ctx, quern_body body, void *env, int64_t n, int64_t grain);
  unsigned char *const *scratch; /* scratch[worker]: 64-byte aligned, at least the entry's scratch_bytes; not zeroed */
  unsigned char *shared;         /* 64-byte aligned, at least the entry's shared_bytes, one per call; not zeroed */
} quern_ctx;

/* buf:    one pointer per tensor parameter, in declaration order, to element 0 of the view.
 * size:   the named sizes in order of first appearance in the parameters, then for each tensor its `rank` strides,
 *         counted in elements.
 * scalar: one slot per scalar parameter, in declaration order.
 * Returns 0, or k > 0 when the k-th run-time assumption does not hold; nothing has been written then. */
typedef int32_t (*quern_kernel)(const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar);

/* One kernel for one instruction set. The same name appears once per isa:
 * "x86-64-amx" (v4-bf16 and AMX), "x86-64-v4-bf16" (VNNI and bf16), "x86-64-v4-vnni" (AVX-512 F/BW/CD/DQ/VL and VNNI), "x86-64-v4", "x86-64-v3" (AVX2, FMA, F16C, BMI1/2, LZCNT, MOVBE),
 * "x86-64-v2" (SSE4.2, POPCNT), "x86-64" (SSE2), "aarch64-i8mm", "aarch64-dotprod", "aarch64" (NEON), "generic" (no instruction set assumed beyond the compiler's default). */
typedef struct quern_entry {
  const char *name;
  const char *isa;
  quern_kernel fn;
  int32_t nbuf;    /* tensor parameters */
  int32_t nsize;   /* named sizes plus all strides: the length of `size` */
  int32_t nscalar; /* scalar parameters */
  int64_t scratch_bytes;
  int64_t shared_bytes;
} quern_entry;

typedef struct quern_library {
  int32_t abi;
  int32_t count;
  const char *hash; /* of the kernels and the emitter that made this library; compared with the package's manifest */
  const quern_entry *entries;
} quern_library;

/* The one symbol that every generated library exports. The table lives as long as the library is loaded. */
const quern_library *quern_library_get(void);

#ifdef __cplusplus
}
#endif

#endif
