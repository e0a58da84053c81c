/* Shared objects full of generated kernels: loading, checking their tables, choosing entries for this CPU. */
#ifndef QUERN_LIBRARY_H
#define QUERN_LIBRARY_H

#include "../include/quern.h"
#include "status.h"

#include <stdatomic.h>

typedef struct quern_lib {
  _Atomic int32_t references;
  _Atomic int32_t closed; /* by its owner; kernels of it must not be started any more */
  void *handle;
  const quern_library *table;
} quern_lib;

/* Loads the file with one reference. On failure `why` tells it in words. */
quern_status quern_lib_open(const char *path, quern_lib **lib, char *why, int why_size);
void quern_lib_retain(quern_lib *lib);
/* Unloads the code with the last reference. */
void quern_lib_release(quern_lib *lib);
/* The entry of that name for `isa`, or for the best instruction set of this CPU when isa is NULL. */
quern_status quern_lib_find(const quern_lib *lib, const char *name, const char *isa, const quern_entry **entry);

#endif
