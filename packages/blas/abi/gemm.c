/* cblas_sgemm and cblas_dgemm: arguments are checked, brought to row-major form, and handed to the generated kernels. */
#include "../include/quern_blas.h"

#include "kernels.h"

#include "../../runtime/native/core/call.h"

#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

/* Below this many multiplications a second thread costs more than it brings. */
#define MIN_PARALLEL_WORK (INT64_C(64) * 64 * 64)

typedef struct gemm_args {
  blas_type type;
  int transa, transb; /* 0 or 1 */
  int64_t m, n, k, lda, ldb, ldc;
  quern_scalar alpha, beta;
  const void *a, *b;
  void *c;
} gemm_args;

/* C = alpha op(A) op(B) + beta C, all row-major. */
static void gemm(const gemm_args *g, const char *routine) {
  if (g->m == 0 || g->n == 0) return;
  const int32_t threads = g->m * g->n * (g->k ? g->k : 1) <= MIN_PARALLEL_WORK ? 1 : 0;
  /* In the order of the kernel's parameters A, B, C, alpha, beta; sizes as A, then B, name them. */
  void *buf[] = {(void *)g->a, (void *)g->b, g->c};
  const int64_t size[] = {g->transa ? g->k : g->m, g->transa ? g->m : g->k, g->n, g->lda, 1, g->ldb, 1, g->ldc, 1};
  const quern_scalar scalar[] = {g->alpha, g->beta};
  int32_t violated;
  if (quern_call(blas_kernels_get()->gemm[g->type][g->transa][g->transb], buf, size, scalar, threads, &violated))
    cblas_xerbla(0, routine, "no memory for packed matrices; C is unchanged\n");
}

static int transposed(CBLAS_TRANSPOSE t) { return (int)t == 111 ? 0 : (int)t == 112 || (int)t == 113 ? 1 : (int)t == 114 ? 0 : -1; }

/* The position of the first wrong argument, in the order of the column-major call; 0 when all can be. */
static int wrong(const gemm_args *g) {
  if (g->m < 0) return 4;
  if (g->n < 0) return 5;
  if (g->k < 0) return 6;
  const int64_t rows_a = g->transa ? g->k : g->m, rows_b = g->transb ? g->n : g->k;
  if (g->lda < (rows_a > 1 ? rows_a : 1)) return 9;
  if (g->ldb < (rows_b > 1 ? rows_b : 1)) return 11;
  if (g->ldc < (g->m > 1 ? g->m : 1)) return 14;
  return 0;
}

static const char *name_of(int position) {
  switch (position) {
    case 4: return "the number of rows of C is negative\n";
    case 5: return "the number of columns of C is negative\n";
    case 6: return "k is negative\n";
    case 9: return "the leading dimension of A is too small\n";
    case 11: return "the leading dimension of B is too small\n";
    default: return "the leading dimension of C is too small\n";
  }
}

/* `g` holds the arguments as given. */
static void checked(CBLAS_ORDER order, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb, gemm_args g, const char *routine) {
  const int row_major = (int)order == 101;
  if (!row_major && (int)order != 102) {
    cblas_xerbla(1, routine, "Illegal Order setting, %d\n", (int)order);
    return;
  }
  g.transa = transposed(transa);
  g.transb = transposed(transb);
  if (g.transa < 0) {
    cblas_xerbla(2, routine, "Illegal TransA setting, %d\n", (int)transa);
    return;
  }
  if (g.transb < 0) {
    cblas_xerbla(3, routine, "Illegal TransB setting, %d\n", (int)transb);
    return;
  }
  /* A row-major matrix is its transpose in column-major form: C' = op(B)' op(A)'. */
  gemm_args swapped = g;
  swapped.transa = g.transb;
  swapped.transb = g.transa;
  swapped.m = g.n;
  swapped.n = g.m;
  swapped.a = g.b;
  swapped.b = g.a;
  swapped.lda = g.ldb;
  swapped.ldb = g.lda;
  const int position = wrong(row_major ? &swapped : &g);
  if (position) {
    cblas_xerbla(position, routine, name_of(position));
    return;
  }
  gemm(row_major ? &g : &swapped, routine);
}

EXPORT void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb, int m, int n, int k, float alpha,
                        const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
  const gemm_args g = {.type = BLAS_F32, .m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc,
                       .alpha.f32 = alpha, .beta.f32 = beta, .a = a, .b = b, .c = c};
  checked(order, transa, transb, g, "cblas_sgemm");
}

EXPORT void cblas_dgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb, int m, int n, int k, double alpha,
                        const double *a, int lda, const double *b, int ldb, double beta, double *c, int ldc) {
  const gemm_args g = {.type = BLAS_F64, .m = m, .n = n, .k = k, .lda = lda, .ldb = ldb, .ldc = ldc,
                       .alpha.f64 = alpha, .beta.f64 = beta, .a = a, .b = b, .c = c};
  checked(order, transa, transb, g, "cblas_dgemm");
}
