#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_FROM ((uint64_t)4 << 20)
#define HUGE_PAGE ((uint64_t)2 << 20)

static quern_memory *make(quern_memory_kind kind, void *data, uint64_t bytes) {
  quern_memory *m = malloc(sizeof *m);
  if (!m) return NULL;
  atomic_init(&m->references, 1);
  atomic_init(&m->closed, 0);
  m->kind = kind;
  m->data = data;
  m->bytes = bytes;
  return m;
}

static uint64_t page_bytes(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }
static uint64_t up(uint64_t n, uint64_t to) { return (n + to - 1) / to * to; }

/* Pages that start on a huge-page boundary: map more than needed, give the rest back. */
static void *huge_pages(uint64_t bytes) {
  uint64_t whole = up(bytes, page_bytes());
  unsigned char *p = mmap(NULL, whole + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  unsigned char *start = (unsigned char *)up((uint64_t)(uintptr_t)p, HUGE_PAGE);
  if (start > p) munmap(p, (size_t)(start - p));
  munmap(start + whole, (size_t)(p + HUGE_PAGE - start));
#ifdef MADV_HUGEPAGE
  madvise(start, whole, MADV_HUGEPAGE);
#endif
  return start;
}

quern_status quern_memory_alloc(uint64_t bytes, quern_memory **memory) {
  if (bytes > (uint64_t)PTRDIFF_MAX - 2 * HUGE_PAGE) return QUERN_E_MEMORY;
  int pages = bytes >= HUGE_FROM;
  void *data = NULL;
  if (pages) data = huge_pages(bytes);
  else if (posix_memalign(&data, 64, up(bytes ? bytes : 1, 64))) data = NULL;
  if (!data) return QUERN_E_MEMORY;
  if (!pages) memset(data, 0, up(bytes ? bytes : 1, 64));
  *memory = make(pages ? QUERN_PAGES : QUERN_HEAP, data, bytes);
  if (*memory) return QUERN_OK;
  if (pages) munmap(data, up(bytes, page_bytes()));
  else free(data);
  return QUERN_E_MEMORY;
}

quern_status quern_memory_map(const char *path, quern_memory **memory) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return QUERN_E_IO;
  struct stat st;
  int failed = fstat(fd, &st);
  if (!failed && !S_ISREG(st.st_mode)) {
    errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    failed = 1;
  }
  void *data = NULL;
  if (!failed && st.st_size > 0) {
    /* Private, so that a page made writable for a reader's view never reaches the file; without reserve, so that a file
     * larger than the memory can be mapped. */
    int flags = MAP_PRIVATE;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, flags, fd, 0);
    if (data == MAP_FAILED) failed = 1;
  }
  int error = errno;
  close(fd);
  errno = error;
  if (failed) return QUERN_E_IO;
  *memory = make(QUERN_FILE, data, (uint64_t)st.st_size);
  if (*memory) return QUERN_OK;
  if (data) munmap(data, (size_t)st.st_size);
  return QUERN_E_MEMORY;
}

/* The pages that hold [offset, +bytes), which lies within the memory. */
static void *pages_of(const quern_memory *m, uint64_t offset, uint64_t bytes, size_t *length) {
  uint64_t page = page_bytes(), start = offset / page * page;
  *length = (size_t)(up(offset + bytes, page) - start);
  return m->data + start;
}

void quern_memory_advise(const quern_memory *m, uint64_t offset, uint64_t bytes, quern_advice advice) {
  static const int codes[] = {MADV_NORMAL, MADV_WILLNEED, MADV_RANDOM, MADV_SEQUENTIAL, MADV_DONTNEED};
  if (m->kind != QUERN_FILE || !bytes) return;
  size_t length;
  void *start = pages_of(m, offset, bytes, &length);
  madvise(start, length, codes[advice]);
}

quern_status quern_memory_unprotect(const quern_memory *m, uint64_t offset, uint64_t bytes) {
  if (m->kind != QUERN_FILE || !bytes) return QUERN_OK;
  size_t length;
  void *start = pages_of(m, offset, bytes, &length);
  return mprotect(start, length, PROT_READ | PROT_WRITE) ? QUERN_E_MEMORY : QUERN_OK;
}

void quern_memory_retain(quern_memory *m) { atomic_fetch_add(&m->references, 1); }

void quern_memory_release(quern_memory *m) {
  if (atomic_fetch_sub(&m->references, 1) != 1) return;
  if (m->kind == QUERN_HEAP) free(m->data);
  else if (m->data) munmap(m->data, up(m->bytes, page_bytes()));
  free(m);
}
