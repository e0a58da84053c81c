/* The kernels of this library that this CPU runs best. */
#ifndef QUERN_BLAS_KERNELS_H
#define QUERN_BLAS_KERNELS_H

#include "../../runtime/native/include/quern.h"

typedef enum blas_type { BLAS_F32, BLAS_F64 } blas_type;

typedef struct blas_kernels {
  const quern_entry *gemm[2][2][2]; /* [type][A transposed][B transposed], all matrices row-major */
} blas_kernels;

/* Chosen at the first call, by feature bits and QUERN_ISA. */
const blas_kernels *blas_kernels_get(void);

#endif
