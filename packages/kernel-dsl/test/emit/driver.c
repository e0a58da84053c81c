// Runs kernels of a shared library on the buffers of a job file and writes them back. Memory that the kernel must not touch
// lies around every buffer and is checked.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "quern.h"

enum { GUARD = 256 };

static void *read_bytes(FILE *f, size_t n) {
  void *p = malloc(n ? n : 1);
  if (!p || fread(p, 1, n, f) != n) { fprintf(stderr, "short job file\n"); exit(99); }
  return p;
}

// Bytes between two guards; the first one lies on a multiple of 64, plus `skew`.
static unsigned char *guarded(size_t n, size_t skew) {
  unsigned char *p = aligned_alloc(64, (n + skew + 2 * GUARD + 63) / 64 * 64);
  memset(p, 0xa5, n + skew + 2 * GUARD);
  return p + GUARD + skew;
}
static int intact(const unsigned char *p, size_t n) {
  for (int i = 1; i <= GUARD; i++) if (p[-i] != 0xa5 || p[n + (size_t)i - 1] != 0xa5) return 0;
  return 1;
}

// Chunks from the last to the first, each by another worker.
static void parallel(const quern_ctx *ctx, quern_body body, void *env, int64_t n, int64_t grain) {
  int32_t worker = 0;
  for (int64_t end = n; end > 0; worker = (worker + 1) % ctx->nthreads) {
    int64_t begin = (end - 1) / (2 * grain) * (2 * grain);
    memset(ctx->scratch[worker], 0xff, *(size_t *)ctx->pool);
    body(env, begin, end, worker);
    end = begin;
  }
}

static int run(quern_kernel kernel, FILE *job, FILE *out) {
  int64_t *head = read_bytes(job, 5 * 8);
  size_t nbuf = (size_t)head[0], scratch = (size_t)head[3], shared = (size_t)head[4];
  int64_t *bytes = read_bytes(job, nbuf * 8), *size = read_bytes(job, (size_t)head[1] * 8);
  quern_scalar *scalar = read_bytes(job, (size_t)head[2] * 8);
  void **buf = calloc(nbuf + 1, sizeof *buf);
  for (size_t i = 0; i < nbuf; i++) {
    void *data = read_bytes(job, (size_t)bytes[i]);
    buf[i] = memcpy(guarded((size_t)bytes[i], 8 * (i % 4)), data, (size_t)bytes[i]);   // unaligned on purpose
  }
  unsigned char *const per_worker[3] = {guarded(scratch, 0), guarded(scratch, 0), guarded(scratch, 0)}, *one = guarded(shared, 0);
  quern_ctx ctx = {QUERN_ABI, 3, &scratch, parallel, per_worker, one};
  int64_t rc = kernel(&ctx, buf, size, scalar);
  fwrite(&rc, 8, 1, out);
  for (size_t i = 0; i < nbuf; i++) fwrite(buf[i], 1, (size_t)bytes[i], out);
  int ok = intact(one, shared);
  for (int i = 0; i < 3; i++) ok = ok && intact(per_worker[i], scratch);
  for (size_t i = 0; i < nbuf; i++) ok = ok && intact(buf[i], (size_t)bytes[i]);
  return ok;
}

// driver LIBRARY JOBS RESULTS SYMBOL...: runs each symbol on the next job.
int main(int argc, char **argv) {
  if (argc < 5) return 98;
  void *lib = dlopen(argv[1], RTLD_NOW);
  if (!lib) { fprintf(stderr, "%s\n", dlerror()); return 97; }
  FILE *jobs = fopen(argv[2], "rb"), *out = fopen(argv[3], "wb");
  if (!jobs || !out) return 96;
  for (int i = 4; i < argc; i++) {
    quern_kernel kernel;
    *(void **)&kernel = dlsym(lib, argv[i]);
    if (!kernel) { fprintf(stderr, "no %s\n", argv[i]); return 95; }
    if (!run(kernel, jobs, out)) { fprintf(stderr, "%s wrote outside of its memory\n", argv[i]); return 94; }
  }
  return fclose(out) == 0 ? 0 : 93;
}
