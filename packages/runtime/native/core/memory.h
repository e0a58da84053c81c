/* Memory that kernels work on: aligned allocations and files mapped for reading, counted by references. */
#ifndef QUERN_MEMORY_H
#define QUERN_MEMORY_H

#include "status.h"

#include <stdatomic.h>
#include <stdint.h>

typedef enum quern_memory_kind { QUERN_HEAP, QUERN_PAGES, QUERN_FILE } quern_memory_kind;

typedef struct quern_memory {
  _Atomic int32_t references;
  _Atomic int32_t closed; /* by its owner; no new use */
  quern_memory_kind kind;
  unsigned char *data; /* at least 64-byte aligned */
  uint64_t bytes;
} quern_memory;

/* Zeroed, 64-byte aligned; from 4 MB on in whole pages with a hint for huge ones. */
quern_status quern_memory_alloc(uint64_t bytes, quern_memory **memory);
/* Maps a whole file for reading: nothing is read until it is touched. A file that somebody shortens while it is mapped
 * makes a touch beyond its new end fatal (SIGBUS), as for every mapped file. QUERN_E_IO: errno tells. */
quern_status quern_memory_map(const char *path, quern_memory **memory);
/* How a part of a mapped file will be used. A hint; refusals are not errors. */
typedef enum quern_advice { QUERN_ADVICE_NORMAL, QUERN_ADVICE_WILLNEED, QUERN_ADVICE_RANDOM, QUERN_ADVICE_SEQUENTIAL, QUERN_ADVICE_DONTNEED } quern_advice;
void quern_memory_advise(const quern_memory *memory, uint64_t offset, uint64_t bytes, quern_advice advice);
/* Lets a reader of [offset, +bytes) write there without harm: pages of a mapped file become private copies when they are
 * written, the file never changes. */
quern_status quern_memory_unprotect(const quern_memory *memory, uint64_t offset, uint64_t bytes);
void quern_memory_retain(quern_memory *memory);
void quern_memory_release(quern_memory *memory);

#endif
