/** The ABI of generated kernels as C text, for files that must compile without quern.h. Tests compare it with that header. */
export const ABI = `#define QUERN_ABI 1
typedef union quern_scalar { double f64; float f32; int64_t i64; int32_t i32; uint32_t u32; } quern_scalar;
typedef void (*quern_body)(void *env, int64_t begin, int64_t end, int32_t worker);
typedef struct quern_ctx {
  int32_t abi, nthreads;
  void *pool;
  void (*parallel)(const struct quern_ctx *, quern_body, void *env, int64_t n, int64_t grain);
  unsigned char *const *scratch;
  unsigned char *shared;
} quern_ctx;
typedef int32_t (*quern_kernel)(const quern_ctx *, void *const *buf, const int64_t *size, const quern_scalar *scalar);
typedef struct quern_entry { const char *name, *isa; quern_kernel fn; int32_t nbuf, nsize, nscalar; int64_t scratch_bytes, shared_bytes; } quern_entry;
typedef struct quern_library { int32_t abi; int32_t count; const char *hash; const quern_entry *entries; } quern_library;
`;
