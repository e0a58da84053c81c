/* Stands in for libcuda and NVRTC where there is no NVIDIA GPU: memory is the host's, launches are checked as the real driver checks them and recorded, and compute nothing.
 * DOUBLE_LOG      the file that calls are added to, a line each
 * DOUBLE_FAIL     "NAME=CODE ...": these functions answer with an error
 * DOUBLE_DEVICES  how many there are (1); DOUBLE_CAPABILITY "9.0"; DOUBLE_NVRTC the version, 13
 * DOUBLE_FAULT    "SITE INDEX EXTENT": every launch with a parameter `faults` reports that, as emitted code does
 * DOUBLE_COMPILE  the compiler refuses a text and says this
 * Built with -DOLD it is a driver from before CUDA 12. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INVALID = 1, MEMORY = 2, NO_DEVICE = 101, NO_IMAGE = 200, NO_CONTEXT = 201, NOT_FOUND = 500, RESOURCES = 701, MOST = 4096 };
static const char MAGIC[] = "MACHINE CODE\n", CONTEXT[] = "context", STREAM[] = "stream";
static __thread const void *current;
static struct { char *at; size_t bytes; int live; } memory[MOST];
static int memories;

static void record(const char *format, ...) {
  const char *path = getenv("DOUBLE_LOG");
  FILE *f = path ? fopen(path, "a") : NULL;
  if (!f) return;
  va_list list;
  va_start(list, format);
  vfprintf(f, format, list);
  va_end(list);
  fputc('\n', f);
  fclose(f);
}
static int number(const char *variable, int otherwise) { const char *s = getenv(variable); return s && *s ? atoi(s) : otherwise; }
static int asked(const char *name) {
  const char *s = getenv("DOUBLE_FAIL"), *at = s ? strstr(s, name) : NULL;
  return at && at[strlen(name)] == '=' ? atoi(at + strlen(name) + 1) : 0;
}
/* Begins a function: what it was told to answer, or that its thread has no context. */
#define BEGIN(context) do { int code = asked(__func__); if (code) { record("%s -> %d", __func__, code); return code; } if ((context) && current != CONTEXT) { record("%s without a context", __func__); return NO_CONTEXT; } } while (0)

/* The memory that holds an address and `bytes` more, or -1. */
static int holder(uint64_t address, size_t bytes) {
  for (int i = 0; i < memories; i++) if (memory[i].live && address >= (uintptr_t)memory[i].at && address + bytes <= (uintptr_t)memory[i].at + memory[i].bytes) return i;
  return -1;
}

int cuInit(unsigned flags) { BEGIN(0); (void)flags; return 0; }
int cuDriverGetVersion(int *v) { *v = 13000; return 0; }
int cuDeviceGetCount(int *n) { BEGIN(0); *n = number("DOUBLE_DEVICES", 1); return 0; }
int cuDeviceGet(int *d, int i) { BEGIN(0); *d = 40 + i; return i < number("DOUBLE_DEVICES", 1) ? 0 : NO_DEVICE; }
int cuDeviceGetName(char *s, int n, int d) { snprintf(s, (size_t)n, "Double %d", d - 40); return 0; }
int cuDeviceTotalMem_v2(size_t *n, int d) { (void)d; *n = (size_t)1 << 36; return 0; }
int cuDeviceGetAttribute(int *v, int which, int d) {
  const char *capability = getenv("DOUBLE_CAPABILITY");
  int major = 9, minor = 0;
  (void)d;
  if (capability) sscanf(capability, "%d.%d", &major, &minor);
  switch (which) {
    case 1: *v = 1024; break;
    case 2: case 3: *v = 1024; break;
    case 4: *v = 64; break;
    case 5: *v = 2147483647; break;
    case 6: case 7: *v = 65535; break;
    case 8: *v = 49152; break;
    case 16: *v = 132; break;
    case 38: *v = 50 << 20; break;
    case 75: *v = major; break;
    case 76: *v = minor; break;
    case 97: *v = 232448; break;
    default: *v = 0;
  }
  return 0;
}
int cuDevicePrimaryCtxRetain(void **c, int d) { BEGIN(0); (void)d; *c = (void *)CONTEXT; return 0; }
int cuDevicePrimaryCtxRelease_v2(int d) { record("release %d", d - 40); return 0; }
int cuCtxSetCurrent(void *c) { BEGIN(0); current = c; return 0; }
int cuStreamCreate(void **s, unsigned flags) { BEGIN(1); if (flags != 1) return INVALID; *s = (void *)STREAM; return 0; }
int cuStreamDestroy_v2(void *s) { return s == STREAM ? 0 : INVALID; }
int cuStreamSynchronize(void *s) { BEGIN(1); return s == STREAM ? 0 : INVALID; }
int cuMemAlloc_v2(uint64_t *at, size_t n) {
  BEGIN(1);
  if (n == 0) return INVALID;
  if (n > (size_t)1 << 36 || memories == MOST) { record("alloc %zu -> too much", n); return MEMORY; }
  char *p = aligned_alloc(256, (n + 255) / 256 * 256);
  memset(p, 0xa5, n);
  memory[memories].at = p; memory[memories].bytes = n; memory[memories].live = 1;
  record("alloc #%d %zu", memories++, n);
  *at = (uintptr_t)p;
  return 0;
}
int cuMemFree_v2(uint64_t at) {
  BEGIN(1);
  int i = holder(at, 0);
  if (i < 0 || (uintptr_t)memory[i].at != at) { record("free of what is no memory"); return INVALID; }
  record("free #%d", i);
  memory[i].live = 0;
  free(memory[i].at);
  return 0;
}
static int inside(uint64_t at, size_t n, void *stream) { return stream == STREAM && holder(at, n) >= 0 ? 0 : INVALID; }
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t n, void *s) { BEGIN(1); if (inside(to, n, s)) return INVALID; memcpy((void *)(uintptr_t)to, from, n); return 0; }
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t n, void *s) { BEGIN(1); if (inside(from, n, s)) return INVALID; memcpy(to, (void *)(uintptr_t)from, n); return 0; }
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t n, void *s) { BEGIN(1); if (inside(to, n, s) || inside(from, n, s)) return INVALID; memcpy((void *)(uintptr_t)to, (void *)(uintptr_t)from, n); return 0; }
int cuMemsetD8Async(uint64_t to, unsigned char byte, size_t n, void *s) { BEGIN(1); if (inside(to, n, s)) return INVALID; memset((void *)(uintptr_t)to, byte, n); return 0; }

/* A module is its text; a function is the place of its parameters there, and how much shared memory it may have. */
typedef struct function { char name[128]; const char *parameters; int shared; } function;
int cuModuleLoadData(void **m, const void *binary) {
  BEGIN(1);
  if (strncmp(binary, MAGIC, sizeof MAGIC - 1)) { record("load of what is no machine code"); return NO_IMAGE; }
  record("load");
  *m = strdup(binary);
  return 0;
}
int cuModuleUnload(void *m) { BEGIN(1); record("unload"); free(m); return 0; }
int cuModuleGetFunction(void **out, void *m, const char *name) {
  BEGIN(1);
  char wanted[160];
  snprintf(wanted, sizeof wanted, " %s(", name);
  const char *at = strstr(m, wanted);
  if (!at) return NOT_FOUND;
  function *f = calloc(1, sizeof *f);
  snprintf(f->name, sizeof f->name, "%s", name);
  f->parameters = at + strlen(wanted);
  f->shared = 49152;
  *out = f;
  return 0;
}
int cuFuncSetAttribute(void *f, int which, int value) {
  BEGIN(1);
  record("%s: attribute %d = %d", ((function *)f)->name, which, value);
  if (which != 8 || value > 232448) return INVALID;
  ((function *)f)->shared = value;
  return 0;
}

typedef struct config { uint32_t grid[3], block[3], shared; void *stream; const struct { int32_t id; char pad[4]; uint32_t value[16]; } *attributes; uint32_t count; } config;

/* Writes one parameter as text and reports a fault where it is told to; the type tells what lies at `value`. */
static int parameter(char *out, size_t room, const char *type, size_t length, const void *value) {
  char text[256], *name;
  snprintf(text, sizeof text, "%.*s", (int)length, type);
  for (char *end = text + strlen(text); end > text && (end[-1] == ' ' || end[-1] == '\n'); ) *--end = 0;
  name = strrchr(text, ' ') ? strrchr(text, ' ') + 1 : text;
  if (strstr(text, "tensor_map") || strstr(text, "TensorMap")) return snprintf(out, room, " %s=%s", name, memcmp(value, "map of ", 7) ? "(no map)" : (const char *)value);
  if (strchr(text, '*')) {
    uint64_t at;
    memcpy(&at, value, sizeof at);
    int i = holder(at, 0);
    if (i < 0) return snprintf(out, room, " %s=(no memory)", name);
    int site, index, extent;
    const char *fault = getenv("DOUBLE_FAULT");
    if (!strcmp(name, "faults") && fault && sscanf(fault, "%d %d %d", &site, &index, &extent) == 3 && *(uint32_t *)(uintptr_t)at == 0) {
      uint32_t words[6] = {(uint32_t)site + 1, 0, (uint32_t)index, (uint32_t)(index >> 31), (uint32_t)extent, 0};
      memcpy((void *)(uintptr_t)at, words, sizeof words);
    }
    return snprintf(out, room, " %s=#%d+%zu", name, i, (size_t)(at - (uintptr_t)memory[i].at));
  }
#define AS(word, type, format) if (strstr(text, word)) { type x; memcpy(&x, value, sizeof x); return snprintf(out, room, " %s=" format, name, x); }
  AS("i64 ", long long, "%lld")
  AS("double ", double, "%.17g")
  AS("float ", float, "%.9g")
  AS("u32 ", uint32_t, "%u")
  AS("int ", int32_t, "%d")
  return snprintf(out, room, " %s=?", name);
}
#ifndef OLD
int cuLaunchKernelEx(const config *c, void *handle, void **values, void **extra) {
  BEGIN(1);
  function *f = handle;
  char line[4096];
  const size_t room = sizeof line;
  size_t used = (size_t)snprintf(line, room, "launch %s grid %u %u %u block %u %u %u shared %u", f->name, c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1], c->block[2], c->shared);
  if (extra || c->stream != STREAM) return INVALID;
  if (c->block[0] * c->block[1] * c->block[2] > 1024 || c->block[2] > 64 || c->grid[1] > 65535 || c->grid[2] > 65535) return record("%s -> refused", line), INVALID;
  if (c->shared > (uint32_t)f->shared) return record("%s -> more than was asked for", line), INVALID;
  for (uint32_t i = 0; i < c->count; i++) {
    const uint32_t *v = c->attributes[i].value;
    if (c->attributes[i].id != 4) { used += (size_t)snprintf(line + used, room - used, " attribute %d=%u", c->attributes[i].id, v[0]); continue; }
    used += (size_t)snprintf(line + used, room - used, " cluster %u %u %u", v[0], v[1], v[2]);
    for (int d = 0; d < 3; d++) if (v[d] < 1 || c->grid[d] % v[d] || v[0] * v[1] * v[2] > 8) return record("%s -> refused", line), INVALID;
  }
  const char *p = f->parameters;
  for (int i = 0; *p && *p != ')'; i++) {
    size_t n = strcspn(p, ",)");
    used += (size_t)parameter(line + used, room - used, p, n, values[i]);
    p += n + (p[n] == ',');
  }
  record("%s", line);
  return 0;
}
#endif
int cuEventCreate(void **e, unsigned flags) { BEGIN(1); (void)flags; *e = calloc(1, 4); return 0; }
int cuEventDestroy_v2(void *e) { free(e); return 0; }
int cuEventRecord(void *e, void *s) { BEGIN(1); *(int *)e = 1; return s == STREAM ? 0 : INVALID; }
int cuEventSynchronize(void *e) { BEGIN(1); return *(int *)e ? 0 : INVALID; }
int cuEventElapsedTime(float *ms, void *a, void *b) { BEGIN(1); *ms = 1.5f; return *(int *)a && *(int *)b ? 0 : INVALID; }
int cuGetErrorName(int code, const char **s) { static __thread char text[32]; snprintf(text, sizeof text, "CUDA_ERROR_%d", code); *s = text; return 0; }
int cuGetErrorString(int code, const char **s) { (void)code; *s = "as it was told to"; return 0; }

#ifndef OLD
/* Holds a map to what the programming guide asks of it. */
int cuTensorMapEncodeTiled(void *map, int dtype, uint32_t rank, void *at, const uint64_t *dims, const uint64_t *strides, const uint32_t *box, const uint32_t *step, int interleave, int swizzle, int promotion, int fill) {
  static const int sizes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};
  char line[128];
  BEGIN(0);
  int i = holder((uintptr_t)at, 0), good = i >= 0 && rank >= 1 && rank <= 5 && (uintptr_t)at % 16 == 0 && interleave == 0 && fill == 0 && dtype < 10;
  size_t used = 0, inner = good ? box[0] * (size_t)sizes[dtype] : 0;
  static const size_t spans[] = {SIZE_MAX, 32, 64, 128};
  good = good && inner % 16 == 0 && inner <= spans[swizzle];
  used += (size_t)snprintf(line, sizeof line, "map of #%d+%zu type %d swizzle %d promotion %d:", i, i < 0 ? 0 : (size_t)((char *)at - memory[i].at), dtype, swizzle, promotion);
  for (uint32_t d = 0; d < rank && used < sizeof line - 24; d++) {
    good = good && dims[d] >= 1 && dims[d] <= (uint64_t)1 << 32 && box[d] >= 1 && box[d] <= 256 && step[d] == 1 && (d == 0 || (strides[d - 1] % 16 == 0 && strides[d - 1] < (uint64_t)1 << 40));
    used += (size_t)snprintf(line + used, sizeof line - used, d ? " %u:%u/%u" : " %u:%u", (unsigned)dims[d], (unsigned)box[d], d ? (unsigned)strides[d - 1] : 0);
  }
  record("%s%s", line, good ? "" : " -> refused");
  memcpy(map, line, sizeof line);
  return good ? 0 : INVALID;
}
#endif

/* NVRTC: its machine code is the text behind the flags. */
typedef struct program { char *source, *code; const char *log; } program;
int nvrtcVersion(int *major, int *minor) { *major = number("DOUBLE_NVRTC", 13); *minor = 0; return 0; }
int nvrtcCreateProgram(void **p, const char *source, const char *name, int n, const char *const *headers, const char *const *names) {
  (void)name; (void)headers; (void)names;
  program *x = calloc(1, sizeof *x);
  x->source = strdup(source);
  x->log = "";
  *p = x;
  return n == 0 ? 0 : 3;
}
int nvrtcCompileProgram(void *p, int n, const char *const *flags) {
  program *x = p;
  const char *refusal = getenv("DOUBLE_COMPILE");
  char line[1024] = "";
  for (int i = 0; i < n; i++) strncat(strcat(line, " "), flags[i], 200);
  record("compile%s", line);
  if (refusal && *refusal) { x->log = refusal; return 6; }
  if (!strstr(line, "--gpu-architecture=sm_")) return 0;
  size_t size = strlen(x->source) + sizeof MAGIC;
  x->code = malloc(size);
  snprintf(x->code, size, "%s%s", MAGIC, x->source);
  return 0;
}
int nvrtcGetProgramLogSize(void *p, size_t *n) { *n = strlen(((program *)p)->log) + 1; return 0; }
int nvrtcGetProgramLog(void *p, char *s) { strcpy(s, ((program *)p)->log); return 0; }
int nvrtcGetCUBINSize(void *p, size_t *n) { *n = ((program *)p)->code ? strlen(((program *)p)->code) + 1 : 0; return 0; }
int nvrtcGetCUBIN(void *p, char *s) { strcpy(s, ((program *)p)->code); return 0; }
int nvrtcDestroyProgram(void **p) { program *x = *p; free(x->source); free(x->code); free(x); *p = NULL; return 0; }
#ifndef OLD
const char *nvrtcGetErrorString(int code) { return code == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR"; }
#endif
