/* CUDA: the driver library, loaded when it is first asked for. Declared here are the parts of its ABI that are used; it keeps
 * them stable, by versioned names. */
#include "gpu.h"
#include "nvrtc.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct launch_attribute {
  int32_t id;
  char pad[4];
  union {
    char bytes[64];
    int32_t flag;
    uint32_t cluster[3];
  } value;
} launch_attribute;

typedef struct launch_config {
  uint32_t grid[3], block[3], shared;
  void *stream;
  launch_attribute *attributes;
  uint32_t count;
} launch_config;

#define DRIVER(X)                                                                                                       \
  X(int, Init, cuInit, (unsigned))                                                                                      \
  X(int, DriverGetVersion, cuDriverGetVersion, (int *))                                                                 \
  X(int, DeviceGetCount, cuDeviceGetCount, (int *))                                                                     \
  X(int, DeviceGet, cuDeviceGet, (int *, int))                                                                          \
  X(int, DeviceGetName, cuDeviceGetName, (char *, int, int))                                                            \
  X(int, DeviceTotalMem, cuDeviceTotalMem_v2, (size_t *, int))                                                          \
  X(int, DeviceGetAttribute, cuDeviceGetAttribute, (int *, int, int))                                                   \
  X(int, PrimaryCtxRetain, cuDevicePrimaryCtxRetain, (void **, int))                                                    \
  X(int, PrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2, (int))                                                        \
  X(int, CtxSetCurrent, cuCtxSetCurrent, (void *))                                                                      \
  X(int, StreamCreate, cuStreamCreate, (void **, unsigned))                                                             \
  X(int, StreamDestroy, cuStreamDestroy_v2, (void *))                                                                   \
  X(int, StreamSynchronize, cuStreamSynchronize, (void *))                                                              \
  X(int, MemAlloc, cuMemAlloc_v2, (uint64_t *, size_t))                                                                 \
  X(int, MemFree, cuMemFree_v2, (uint64_t))                                                                             \
  X(int, MemcpyHtoD, cuMemcpyHtoDAsync_v2, (uint64_t, const void *, size_t, void *))                                    \
  X(int, MemcpyDtoH, cuMemcpyDtoHAsync_v2, (void *, uint64_t, size_t, void *))                                          \
  X(int, MemcpyDtoD, cuMemcpyDtoDAsync_v2, (uint64_t, uint64_t, size_t, void *))                                        \
  X(int, MemsetD8, cuMemsetD8Async, (uint64_t, unsigned char, size_t, void *))                                          \
  X(int, ModuleLoadData, cuModuleLoadData, (void **, const void *))                                                     \
  X(int, ModuleUnload, cuModuleUnload, (void *))                                                                        \
  X(int, ModuleGetFunction, cuModuleGetFunction, (void **, void *, const char *))                                       \
  X(int, FuncSetAttribute, cuFuncSetAttribute, (void *, int, int))                                                      \
  X(int, LaunchKernelEx, cuLaunchKernelEx, (const launch_config *, void *, void **, void **))                           \
  X(int, EventCreate, cuEventCreate, (void **, unsigned))                                                               \
  X(int, EventDestroy, cuEventDestroy_v2, (void *))                                                                     \
  X(int, EventRecord, cuEventRecord, (void *, void *))                                                                  \
  X(int, EventSynchronize, cuEventSynchronize, (void *))                                                                \
  X(int, EventElapsedTime, cuEventElapsedTime, (float *, void *, void *))                                               \
  X(int, GetErrorName, cuGetErrorName, (int, const char **))                                                            \
  X(int, GetErrorString, cuGetErrorString, (int, const char **))

#define FIELD(result, name, symbol, parameters) result(*name) parameters;
static struct { DRIVER(FIELD) } cu;
/* Of drivers from CUDA 12 on; NULL before. */
static int (*encode_tiled)(void *, int, uint32_t, void *, const uint64_t *, const uint64_t *, const uint32_t *, const uint32_t *, int, int, int, int);

enum {
  A_THREADS = 1, A_BLOCK_X = 2, A_GRID_X = 5, A_SHARED = 8, A_UNITS = 16, A_INTEGRATED = 18, A_L2 = 38,
  A_MAJOR = 75, A_MINOR = 76, A_SHARED_OPTIN = 97, F_DYNAMIC_SHARED = 8, L_CLUSTER = 4, L_OVERLAP = 6
};

struct quern_gpu_device {
  _Atomic int references;
  int device;
  void *context, *stream, *marks[QUERN_GPU_MARKS];
};
struct quern_gpu_buffer {
  quern_gpu_device *device;
  uint64_t address, bytes;
};
typedef struct function {
  void *handle;
  char *name;
  uint32_t dynamic;
} function;
struct quern_gpu_module {
  quern_gpu_device *device;
  void *handle, *binary;
  uint64_t bytes;
  int count;
  function *functions;
};

/* Turns an answer of the driver into an error. */
static int failed(quern_gpu_error *e, const char *what, int code) {
  if (code == 0) return 0;
  const char *name = NULL, *text = NULL;
  if (cu.GetErrorName) cu.GetErrorName(code, &name);
  if (cu.GetErrorString) cu.GetErrorString(code, &text);
  quern_gpu_code kind = QUERN_GPU_FAILED;
  if (code == 2) kind = QUERN_GPU_MEMORY;
  else if (code == 700 || code == 702 || code == 710 || (code >= 714 && code <= 719) || code == 4 || code == 201 || code == 226) kind = QUERN_GPU_LOST;
  else if (code == 1 || code == 701 || code == 720 || code == 912) kind = QUERN_GPU_LAUNCH;
  return quern_gpu_fail(e, kind, "%s: %s (%s)", what, name ? name : "CUDA error", text ? text : "no description");
}

static int load_driver(quern_gpu_error *e) {
  static const char *const names[] = {"libcuda.so.1", "/usr/local/nvidia/lib64/libcuda.so.1", NULL};
  void *library = quern_gpu_dlopen("QUERN_CUDA_LIBRARY", names, e);
  if (!library) return -1;
  const char *missing = NULL;
#define SYMBOL(result, name, symbol, parameters) if (!(*(void **)&cu.name = dlsym(library, #symbol)) && !missing) missing = #symbol;
  DRIVER(SYMBOL)
  if (missing) return quern_gpu_fail(e, QUERN_GPU_ABSENT, "the NVIDIA driver is too old: it has no %s (CUDA 12 brings it)", missing);
  *(void **)&encode_tiled = dlsym(library, "cuTensorMapEncodeTiled");
  return failed(e, "cuInit", cu.Init(0)) ? (e->code = QUERN_GPU_ABSENT, -1) : 0;
}

static int ready(quern_gpu_error *e) {
  static quern_gpu_once once = QUERN_GPU_ONCE;
  return quern_gpu_load_once(&once, load_driver, e);
}

static int current(quern_gpu_device *d, quern_gpu_error *e) { return failed(e, "cuCtxSetCurrent", cu.CtxSetCurrent(d->context)); }

static int count(quern_gpu_error *e) {
  int n = 0;
  if (ready(e)) return -1;
  return failed(e, "cuDeviceGetCount", cu.DeviceGetCount(&n)) ? -1 : n;
}

static int64_t attribute(int device, int which) {
  int value = 0;
  return cu.DeviceGetAttribute(&value, which, device) == 0 ? value : 0;
}

static int describe(int index, quern_gpu_info *info, quern_gpu_error *e) {
  int device, version = 0;
  size_t memory = 0;
  memset(info, 0, sizeof *info);
  if (ready(e) || failed(e, "cuDeviceGet", cu.DeviceGet(&device, index))) return -1;
  cu.DeviceGetName(info->name, (int)sizeof info->name, device);
  cu.DeviceTotalMem(&memory, device);
  cu.DriverGetVersion(&version);
  snprintf(info->vendor, sizeof info->vendor, "NVIDIA");
  snprintf(info->driver, sizeof info->driver, "CUDA %d.%d", version / 1000, version % 1000 / 10);
  info->major = (int32_t)attribute(device, A_MAJOR);
  info->minor = (int32_t)attribute(device, A_MINOR);
  info->units = (int32_t)attribute(device, A_UNITS);
  info->integrated = (int32_t)attribute(device, A_INTEGRATED);
  info->lanes = (int32_t)attribute(device, A_THREADS);
  info->memory = info->max_buffer = (int64_t)memory;
  info->shared = attribute(device, A_SHARED);
  info->shared_optin = attribute(device, A_SHARED_OPTIN);
  info->cache = attribute(device, A_L2);
  for (int d = 0; d < 3; d++) info->grid[d] = attribute(device, A_GRID_X + d), info->block[d] = attribute(device, A_BLOCK_X + d);
  return 0;
}

static void release(quern_gpu_device *d) {
  if (atomic_fetch_sub(&d->references, 1) != 1) return;
  cu.CtxSetCurrent(d->context);
  for (int i = 0; i < QUERN_GPU_MARKS; i++) if (d->marks[i]) cu.EventDestroy(d->marks[i]);
  if (d->stream) cu.StreamDestroy(d->stream);
  cu.PrimaryCtxRelease(d->device);
  free(d);
}

static quern_gpu_device *open_device(int index, quern_gpu_error *e) {
  int device;
  if (ready(e)) return NULL;
  if (failed(e, "cuDeviceGet", cu.DeviceGet(&device, index))) return NULL;
  quern_gpu_device *d = calloc(1, sizeof *d);
  if (!d) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host"), NULL;
  atomic_init(&d->references, 1);
  d->device = device;
  if (failed(e, "cuDevicePrimaryCtxRetain", cu.PrimaryCtxRetain(&d->context, device))) return free(d), NULL;
  if (current(d, e) || failed(e, "cuStreamCreate", cu.StreamCreate(&d->stream, 1))) return release(d), NULL;
  return d;
}

static quern_gpu_buffer *alloc(quern_gpu_device *d, uint64_t bytes, quern_gpu_error *e) {
  quern_gpu_buffer *b = calloc(1, sizeof *b);
  if (!b) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host"), NULL;
  b->bytes = bytes;
  if (current(d, e) || failed(e, "cuMemAlloc", cu.MemAlloc(&b->address, bytes ? bytes : 16))) return free(b), NULL;
  b->device = d;
  atomic_fetch_add(&d->references, 1);
  return b;
}

static void free_buffer(quern_gpu_buffer *b) {
  quern_gpu_device *d = b->device;
  cu.CtxSetCurrent(d->context);
  cu.MemFree(b->address); /* waits for what uses it */
  free(b);
  release(d);
}

static int write_buffer(quern_gpu_buffer *b, uint64_t offset, const void *from, uint64_t bytes, quern_gpu_error *e) {
  if (bytes == 0) return 0;
  return current(b->device, e) ? -1 : failed(e, "cuMemcpyHtoDAsync", cu.MemcpyHtoD(b->address + offset, from, bytes, b->device->stream));
}
static int read_buffer(quern_gpu_buffer *b, uint64_t offset, void *to, uint64_t bytes, quern_gpu_error *e) {
  if (current(b->device, e)) return -1;
  if (bytes > 0 && failed(e, "cuMemcpyDtoHAsync", cu.MemcpyDtoH(to, b->address + offset, bytes, b->device->stream))) return -1;
  return failed(e, "cuStreamSynchronize", cu.StreamSynchronize(b->device->stream));
}
static int copy_buffer(quern_gpu_buffer *to, uint64_t at, quern_gpu_buffer *from, uint64_t offset, uint64_t bytes, quern_gpu_error *e) {
  if (bytes == 0) return 0;
  return current(to->device, e) ? -1 : failed(e, "cuMemcpyDtoDAsync", cu.MemcpyDtoD(to->address + at, from->address + offset, bytes, to->device->stream));
}
static int fill_buffer(quern_gpu_buffer *b, uint64_t offset, int byte, uint64_t bytes, quern_gpu_error *e) {
  if (bytes == 0) return 0;
  return current(b->device, e) ? -1 : failed(e, "cuMemsetD8Async", cu.MemsetD8(b->address + offset, (unsigned char)byte, bytes, b->device->stream));
}

/* Takes the binary over. */
static quern_gpu_module *module_of(quern_gpu_device *d, void *binary, uint64_t bytes, quern_gpu_error *e) {
  quern_gpu_module *m = calloc(1, sizeof *m);
  if (!m) quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host");
  if (!m || current(d, e) || failed(e, "cuModuleLoadData", cu.ModuleLoadData(&m->handle, binary))) return free(binary), free(m), NULL;
  m->device = d;
  m->binary = binary;
  m->bytes = bytes;
  atomic_fetch_add(&d->references, 1);
  return m;
}

static quern_gpu_module *build(quern_gpu_device *d, const char *source, int flagc, const char *const *flags, quern_gpu_error *e) {
  uint64_t size = 0;
  void *binary = quern_nvrtc_compile(source, flagc, flags, &size, e);
  return binary ? module_of(d, binary, size, e) : NULL;
}

static quern_gpu_module *load(quern_gpu_device *d, const void *binary, uint64_t bytes, quern_gpu_error *e) {
  void *mine = malloc(bytes ? bytes : 1);
  if (!mine) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host"), NULL;
  memcpy(mine, binary, bytes);
  return module_of(d, mine, bytes, e);
}

static void *binary_of(quern_gpu_module *m, uint64_t *bytes, quern_gpu_error *e) {
  void *out = malloc(m->bytes ? m->bytes : 1);
  if (!out) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host"), NULL;
  memcpy(out, m->binary, m->bytes);
  *bytes = m->bytes;
  return out;
}

static int find_function(quern_gpu_module *m, const char *entry, quern_gpu_error *e) {
  for (int i = 0; i < m->count; i++) if (!strcmp(m->functions[i].name, entry)) return i;
  void *handle = NULL;
  if (current(m->device, e) || failed(e, entry, cu.ModuleGetFunction(&handle, m->handle, entry))) return -1;
  function *more = realloc(m->functions, sizeof(function) * (size_t)(m->count + 1));
  if (!more) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host");
  m->functions = more;
  char *name = strdup(entry);
  if (!name) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host");
  more[m->count] = (function){handle, name, 0};
  return m->count++;
}

static void unload(quern_gpu_module *m) {
  quern_gpu_device *d = m->device;
  cu.CtxSetCurrent(d->context);
  cu.StreamSynchronize(d->stream);
  cu.ModuleUnload(m->handle);
  for (int i = 0; i < m->count; i++) free(m->functions[i].name);
  free(m->functions);
  free(m->binary);
  free(m);
  release(d);
}

static int launch(quern_gpu_device *d, const quern_gpu_launch *l, quern_gpu_error *e) {
  enum { MOST = 256 };
  uint64_t addresses[MOST];
  void *values[MOST];
  launch_attribute attributes[2] = {{0}};
  uint32_t asked = 0;
  if (l->argc > MOST) return quern_gpu_fail(e, QUERN_GPU_LAUNCH, "a launch with %d arguments; at most %d", (int)l->argc, (int)MOST);
  function *f = &l->module->functions[l->function];
  if (current(d, e)) return -1;
  if (l->dynamic_shared > f->dynamic) {
    if (l->dynamic_shared > 48 * 1024 && failed(e, "shared memory of a launch", cu.FuncSetAttribute(f->handle, F_DYNAMIC_SHARED, (int)l->dynamic_shared))) return e->code = QUERN_GPU_LAUNCH, -1;
    f->dynamic = l->dynamic_shared;
  }
  for (int32_t i = 0; i < l->argc; i++) {
    addresses[i] = l->args[i].buffer ? l->args[i].buffer->address + l->args[i].offset : 0;
    values[i] = l->args[i].buffer ? (void *)&addresses[i] : (void *)l->args[i].value;
  }
  if (l->overlap) attributes[asked++] = (launch_attribute){.id = L_OVERLAP, .value.flag = 1};
  if (l->cluster[0] * l->cluster[1] * l->cluster[2] > 1) attributes[asked++] = (launch_attribute){.id = L_CLUSTER, .value.cluster = {l->cluster[0], l->cluster[1], l->cluster[2]}};
  launch_config c = {{l->grid[0], l->grid[1], l->grid[2]}, {l->block[0], l->block[1], l->block[2]}, l->dynamic_shared, d->stream, attributes, asked};
  return failed(e, f->name, cu.LaunchKernelEx(&c, f->handle, values, NULL));
}

static int sync_device(quern_gpu_device *d, quern_gpu_error *e) {
  return current(d, e) ? -1 : failed(e, "cuStreamSynchronize", cu.StreamSynchronize(d->stream));
}
static int mark(quern_gpu_device *d, int slot, quern_gpu_error *e) {
  if (current(d, e)) return -1;
  if (!d->marks[slot] && failed(e, "cuEventCreate", cu.EventCreate(&d->marks[slot], 0))) return -1;
  return failed(e, "cuEventRecord", cu.EventRecord(d->marks[slot], d->stream));
}
static int elapsed(quern_gpu_device *d, int from, int to, double *ns, quern_gpu_error *e) {
  float ms = 0;
  if (!d->marks[from] || !d->marks[to]) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no mark was made there");
  if (current(d, e) || failed(e, "cuEventSynchronize", cu.EventSynchronize(d->marks[to])) || failed(e, "cuEventElapsedTime", cu.EventElapsedTime(&ms, d->marks[from], d->marks[to]))) return -1;
  *ns = (double)ms * 1e6;
  return 0;
}

static int tensor_map(quern_gpu_device *d, const quern_gpu_map *m, unsigned char out[128], quern_gpu_error *e) {
  _Alignas(64) unsigned char map[128];
  uint32_t step[5] = {1, 1, 1, 1, 1};
  if (!encode_tiled) return quern_gpu_fail(e, QUERN_GPU_LAUNCH, "this NVIDIA driver knows no tensor maps (CUDA 12 brings them)");
  if (current(d, e)) return -1;
  int swizzle = m->swizzle == 32 ? 1 : m->swizzle == 64 ? 2 : m->swizzle == 128 ? 3 : 0;
  /* No interleaving; 256-byte promotion to the second-level cache; outside of the tensor there are zeros. */
  int code = encode_tiled(map, m->dtype, (uint32_t)m->rank, (void *)(uintptr_t)(m->buffer->address + m->offset), m->dims, m->strides + 1, m->box, step, 0, swizzle, 3, 0);
  if (code) return failed(e, "cuTensorMapEncodeTiled", code), e->code = QUERN_GPU_LAUNCH, -1;
  memcpy(out, map, sizeof map);
  return 0;
}

static int identity(quern_gpu_device *d, char *text, int size, quern_gpu_error *e) {
  int version = 0, major = 0, minor = 0;
  cu.DriverGetVersion(&version);
  if (quern_nvrtc_version(&major, &minor, e)) return -1;
  snprintf(text, (size_t)size, "cuda driver %d nvrtc %d.%d sm_%d%d", version, major, minor, (int)attribute(d->device, A_MAJOR), (int)attribute(d->device, A_MINOR));
  return 0;
}

const quern_gpu_driver *quern_gpu_cuda(void) {
  static const quern_gpu_driver driver = {
      "cuda", count, describe, open_device, release, alloc, free_buffer, write_buffer, read_buffer, copy_buffer, fill_buffer, build, load, binary_of,
      find_function, unload, launch, sync_device, mark, elapsed, tensor_map, identity};
  return &driver;
}
