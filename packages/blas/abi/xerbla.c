#include "../include/quern_blas.h"

#include <stdarg.h>
#include <stdio.h>

/* Weak: a program may bring its own. The reference implementation ends the program here; a library should not. */
__attribute__((weak, visibility("default"))) void cblas_xerbla(int position, const char *routine, const char *format, ...) {
  va_list args;
  if (position) fprintf(stderr, "Parameter %d to routine %s was incorrect\n", position, routine);
  else fprintf(stderr, "%s: ", routine);
  va_start(args, format);
  vfprintf(stderr, format, args);
  va_end(args);
}
