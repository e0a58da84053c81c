/* libquern_blas: dense linear algebra from Quern's generated kernels, with the C interface to BLAS (CBLAS).
 *
 * Matrices are column-major or row-major with leading dimensions, as in BLAS; dimensions are int, offsets are computed in
 * 64 bits. Every function may be called from any thread. beta = 0 writes C and never reads it; alpha = 0 never reads A and
 * B; NaN and infinities propagate otherwise. Results do not depend on the number of threads, bit for bit.
 *
 * Environment, read at the first call: QUERN_NUM_THREADS caps the threads; QUERN_ISA caps the instruction set
 * ("x86-64-v4", "x86-64-v3", "x86-64"). */
#ifndef QUERN_BLAS_H
#define QUERN_BLAS_H

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CBLAS_H /* another cblas.h, included before, declares these too */
typedef enum CBLAS_ORDER { CblasRowMajor = 101, CblasColMajor = 102 } CBLAS_ORDER;
typedef enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112, CblasConjTrans = 113 } CBLAS_TRANSPOSE;

/* C = alpha op(A) op(B) + beta C, where op(A) is m x k, op(B) is k x n and C is m x n.
 * An argument that cannot be is reported to cblas_xerbla, and nothing is written. */
void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb, int m, int n, int k, float alpha,
                 const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);
void cblas_dgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE transa, CBLAS_TRANSPOSE transb, int m, int n, int k, double alpha,
                 const double *a, int lda, const double *b, int ldb, double beta, double *c, int ldc);

/* Called with the position of a wrong argument. This library's prints a line to stderr and returns; a program may define
 * its own. As in the reference CBLAS, positions are those of the column-major call that a row-major one becomes: m and n,
 * lda and ldb (and the two transposes) are exchanged. */
void cblas_xerbla(int position, const char *routine, const char *format, ...);
#endif

/* The most threads that a call may use; 0 for as many as this process has CPUs. QUERN_NUM_THREADS still caps. */
void quern_blas_set_num_threads(int threads);
int quern_blas_get_num_threads(void);
/* The instruction set of the kernels in use: "x86-64-v4", "x86-64-v3", "x86-64" or "generic". */
const char *quern_blas_get_isa(void);

#ifdef __cplusplus
}
#endif

#endif
