#include "kernels.h"

#include "../../runtime/native/core/library.h"

#include <pthread.h>
#include <stdio.h>

static blas_kernels kernels;

static void choose(void) {
  static const char *const types[] = {"f32", "f64"};
  const quern_lib lib = {.table = quern_library_get()};
  for (int t = 0; t < 2; t++)
    for (int a = 0; a < 2; a++)
      for (int b = 0; b < 2; b++) {
        char name[32];
        snprintf(name, sizeof name, "gemm_%c%c_%s", "nt"[a], "nt"[b], types[t]);
        quern_lib_find(&lib, name, NULL, &kernels.gemm[t][a][b]);
      }
}

const blas_kernels *blas_kernels_get(void) {
  static pthread_once_t done = PTHREAD_ONCE_INIT;
  pthread_once(&done, choose);
  return &kernels;
}
