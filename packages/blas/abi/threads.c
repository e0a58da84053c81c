#include "../include/quern_blas.h"

#include "kernels.h"

#include "../../runtime/native/core/pool.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void quern_blas_set_num_threads(int threads) { quern_pool_configure(threads); }

EXPORT int quern_blas_get_num_threads(void) { return quern_pool_threads(0); }

EXPORT const char *quern_blas_get_isa(void) { return blas_kernels_get()->gemm[BLAS_F32][0][0]->isa; }
