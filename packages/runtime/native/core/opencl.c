/* OpenCL 1.2: the loader library, opened when it is first asked for. */
#include "gpu.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API(X)                                                                                                          \
  X(int32_t, GetPlatformIDs, (uint32_t, void **, uint32_t *))                                                           \
  X(int32_t, GetDeviceIDs, (void *, uint64_t, uint32_t, void **, uint32_t *))                                           \
  X(int32_t, GetDeviceInfo, (void *, uint32_t, size_t, void *, size_t *))                                               \
  X(void *, CreateContext, (const intptr_t *, uint32_t, void *const *, void *, void *, int32_t *))                      \
  X(int32_t, ReleaseContext, (void *))                                                                                  \
  X(void *, CreateCommandQueue, (void *, void *, uint64_t, int32_t *))                                                  \
  X(int32_t, ReleaseCommandQueue, (void *))                                                                             \
  X(void *, CreateBuffer, (void *, uint64_t, size_t, void *, int32_t *))                                                \
  X(int32_t, ReleaseMemObject, (void *))                                                                                \
  X(int32_t, EnqueueWriteBuffer, (void *, void *, uint32_t, size_t, size_t, const void *, uint32_t, void *const *, void **)) \
  X(int32_t, EnqueueReadBuffer, (void *, void *, uint32_t, size_t, size_t, void *, uint32_t, void *const *, void **))   \
  X(int32_t, EnqueueCopyBuffer, (void *, void *, void *, size_t, size_t, size_t, uint32_t, void *const *, void **))     \
  X(int32_t, EnqueueFillBuffer, (void *, void *, const void *, size_t, size_t, size_t, uint32_t, void *const *, void **)) \
  X(void *, CreateProgramWithSource, (void *, uint32_t, const char **, const size_t *, int32_t *))                      \
  X(void *, CreateProgramWithBinary, (void *, uint32_t, void *const *, const size_t *, const unsigned char **, int32_t *, int32_t *)) \
  X(int32_t, BuildProgram, (void *, uint32_t, void *const *, const char *, void *, void *))                             \
  X(int32_t, GetProgramBuildInfo, (void *, void *, uint32_t, size_t, void *, size_t *))                                 \
  X(int32_t, GetProgramInfo, (void *, uint32_t, size_t, void *, size_t *))                                              \
  X(int32_t, ReleaseProgram, (void *))                                                                                  \
  X(void *, CreateKernel, (void *, const char *, int32_t *))                                                            \
  X(int32_t, ReleaseKernel, (void *))                                                                                   \
  X(int32_t, SetKernelArg, (void *, uint32_t, size_t, const void *))                                                    \
  X(int32_t, EnqueueNDRangeKernel, (void *, void *, uint32_t, const size_t *, const size_t *, const size_t *, uint32_t, void *const *, void **)) \
  X(int32_t, EnqueueMarkerWithWaitList, (void *, uint32_t, void *const *, void **))                                     \
  X(int32_t, WaitForEvents, (uint32_t, void *const *))                                                                  \
  X(int32_t, GetEventProfilingInfo, (void *, uint32_t, size_t, void *, size_t *))                                       \
  X(int32_t, ReleaseEvent, (void *))                                                                                    \
  X(int32_t, Flush, (void *))                                                                                           \
  X(int32_t, Finish, (void *))

#define FIELD(result, name, parameters) result(*name) parameters;
static struct { API(FIELD) } cl;
/* Of drivers that know images. */
static void *(*create_image)(void *, uint64_t, const void *, const void *, void *, int32_t *);

enum {
  D_TYPE = 0x1000, D_UNITS = 0x1002, D_GROUP = 0x1004, D_ITEMS = 0x1005, D_MAX_ALLOC = 0x1010, D_CACHE = 0x101E,
  D_MEMORY = 0x101F, D_LOCAL = 0x1023, D_NAME = 0x102B, D_VENDOR = 0x102C, D_DRIVER = 0x102D, D_VERSION = 0x102F, D_EXTENSIONS = 0x1030,
  D_UNIFIED = 0x1035, D_IMAGES = 0x1016, D_TEXELS = 0x1040, MEM_READ_ONLY = 4, IMAGE1D_BUFFER = 0x10F6, RGBA = 0x10B5, D_SINGLE = 0x101B, D_DOUBLE = 0x1032, D_COMPILER = 0x1028, TYPE_CPU = 2,
  BUILD_LOG = 0x1183, BINARY_SIZES = 0x1165, BINARIES = 0x1166, MOST_DEVICES = 64, E_END = 0x1283, Q_PROFILING = 2, MEM_READ_WRITE = 1
};

struct quern_gpu_device {
  _Atomic int references;
  void *device, *context, *queue, *marks[QUERN_GPU_MARKS];
};
struct quern_gpu_buffer {
  quern_gpu_device *device;
  void *handle, *images[7];
  uint64_t bytes;
};
struct quern_gpu_module {
  quern_gpu_device *device;
  void *program;
  int count;
  struct { void *handle; char *name; } *functions;
};

static void *devices[MOST_DEVICES], *platforms[MOST_DEVICES];
static int device_count;

static const char *name_of(int32_t code) {
  switch (code) {
  case -1: return "device not found";
  case -2: return "device not available";
  case -3: return "compiler not available";
  case -4: return "memory object allocation failure";
  case -5: return "out of resources";
  case -6: return "out of host memory";
  case -11: return "build program failure";
  case -30: return "invalid value";
  case -36: return "invalid command queue";
  case -38: return "invalid memory object";
  case -42: return "invalid binary";
  case -44: return "invalid program";
  case -46: return "invalid kernel name";
  case -48: return "invalid kernel";
  case -49: return "invalid argument index";
  case -50: return "invalid argument value";
  case -51: return "invalid argument size";
  case -52: return "invalid kernel arguments";
  case -53: return "invalid work dimension";
  case -54: return "invalid workgroup size";
  case -55: return "invalid work item size";
  case -61: return "invalid buffer size";
  case -63: return "invalid global work size";
  case -1001: return "no platform installed";
  case -9999: return "illegal access on the device";
  default: return "OpenCL error";
  }
}

static int failed(quern_gpu_error *e, const char *what, int32_t code) {
  if (code == 0) return 0;
  quern_gpu_code kind = QUERN_GPU_FAILED;
  if (code == -4 || code == -61) kind = QUERN_GPU_MEMORY;
  else if (code == -9999 || code == -2 || code == -36) kind = QUERN_GPU_LOST;
  else if (code == -5 || (code <= -49 && code >= -63)) kind = QUERN_GPU_LAUNCH;
  return quern_gpu_fail(e, kind, "%s: %s (%d)", what, name_of(code), (int)code);
}

static int load_driver(quern_gpu_error *e) {
  static const char *const names[] = {"libOpenCL.so.1", "libOpenCL.so", NULL};
  void *library = quern_gpu_dlopen("QUERN_OPENCL_LIBRARY", names, e);
  if (!library) return -1;
  const char *missing = NULL;
#define SYMBOL(result, name, parameters) if (!(*(void **)&cl.name = dlsym(library, "cl" #name)) && !missing) missing = "cl" #name;
  API(SYMBOL)
  *(void **)&create_image = dlsym(library, "clCreateImage");
  if (missing) return quern_gpu_fail(e, QUERN_GPU_ABSENT, "this OpenCL library has no %s (OpenCL 1.2 brings it)", missing);
  uint32_t n = 0;
  void *list[16];
  int32_t code = cl.GetPlatformIDs(16, list, &n);
  if (code || n == 0) return quern_gpu_fail(e, QUERN_GPU_ABSENT, "the OpenCL loader is installed, but no driver that it could load (%s)", name_of(code ? code : -1001));
  if (n > 16) n = 16;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t have = 0;
    void *found[MOST_DEVICES];
    if (cl.GetDeviceIDs(list[i], 0xFFFFFFFFu, MOST_DEVICES, found, &have)) continue;
    for (uint32_t j = 0; j < have && j < MOST_DEVICES && device_count < MOST_DEVICES; j++) {
      uint32_t compiler = 1;
      cl.GetDeviceInfo(found[j], D_COMPILER, sizeof compiler, &compiler, NULL);
      if (!compiler) continue;
      platforms[device_count] = list[i];
      devices[device_count++] = found[j];
    }
  }
  return device_count ? 0 : quern_gpu_fail(e, QUERN_GPU_ABSENT, "no OpenCL driver on this machine offers a device");
}

static int ready(quern_gpu_error *e) {
  static quern_gpu_once once = QUERN_GPU_ONCE;
  return quern_gpu_load_once(&once, load_driver, e);
}

static int count(quern_gpu_error *e) { return ready(e) ? -1 : device_count; }

static uint64_t number(void *device, uint32_t which) {
  uint64_t value = 0; /* little-endian: shorter answers fill the low bytes */
  return cl.GetDeviceInfo(device, which, sizeof value, &value, NULL) == 0 ? value : 0;
}

static int describe(int index, quern_gpu_info *info, quern_gpu_error *e) {
  memset(info, 0, sizeof *info);
  if (ready(e)) return -1;
  if (index < 0 || index >= device_count) return quern_gpu_fail(e, QUERN_GPU_ABSENT, "no OpenCL device %d", index);
  void *d = devices[index];
  char version[128] = "", *extensions = calloc(1, 1 << 16);
  size_t sizes[3] = {0, 0, 0};
  if (!extensions) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host");
  cl.GetDeviceInfo(d, D_NAME, sizeof info->name, info->name, NULL);
  cl.GetDeviceInfo(d, D_VENDOR, sizeof info->vendor, info->vendor, NULL);
  cl.GetDeviceInfo(d, D_DRIVER, sizeof info->driver, info->driver, NULL);
  cl.GetDeviceInfo(d, D_VERSION, sizeof version, version, NULL);
  cl.GetDeviceInfo(d, D_EXTENSIONS, (1 << 16) - 1, extensions, NULL);
  cl.GetDeviceInfo(d, D_ITEMS, sizeof sizes, sizes, NULL);
  sscanf(version, "OpenCL %d.%d", &info->major, &info->minor);
  uint64_t type = number(d, D_TYPE);
  info->software = (type & TYPE_CPU) != 0;
  info->integrated = (uint32_t)number(d, D_UNIFIED) != 0;
  info->units = (int32_t)(uint32_t)number(d, D_UNITS);
  info->lanes = (int32_t)number(d, D_GROUP);
  info->memory = (int64_t)number(d, D_MEMORY);
  info->max_buffer = (int64_t)number(d, D_MAX_ALLOC);
  info->shared = info->shared_optin = (int64_t)number(d, D_LOCAL);
  info->cache = (int64_t)number(d, D_CACHE);
  info->texels = create_image && (uint32_t)number(d, D_IMAGES) ? (int64_t)number(d, D_TEXELS) : 0;
  for (int i = 0; i < 3; i++) info->block[i] = (int64_t)sizes[i], info->grid[i] = 2147483647;
  char *out = info->features, *end = out + sizeof info->features;
#define FEATURE(condition, name) if (condition) out += snprintf(out, (size_t)(end - out), "%s%s", out == info->features ? "" : " ", name)
  FEATURE(number(d, D_DOUBLE) != 0, "f64");
  FEATURE(1, "i64");
  FEATURE(strstr(extensions, "cl_khr_fp16"), "f16");
  FEATURE(strstr(extensions, "cl_khr_int64_base_atomics") && strstr(extensions, "cl_khr_int64_extended_atomics"), "atomic64");
  FEATURE(strstr(extensions, "cl_khr_subgroup_shuffle "), "subgroup_shuffle");
  FEATURE(strstr(extensions, "cl_khr_integer_dot_product"), "dot4");
  FEATURE(strstr(extensions, "cl_nv_"), "nvidia");
  FEATURE((number(d, D_SINGLE) & 128) != 0, "rounded_divide");
  FEATURE((number(d, D_SINGLE) & 1) != 0, "denormals");
  FEATURE(info->texels > 0, "images");
  FEATURE(1, "print");
  free(extensions);
  return 0;
}

static void release(quern_gpu_device *d) {
  if (atomic_fetch_sub(&d->references, 1) != 1) return;
  for (int i = 0; i < QUERN_GPU_MARKS; i++) if (d->marks[i]) cl.ReleaseEvent(d->marks[i]);
  if (d->queue) cl.ReleaseCommandQueue(d->queue);
  if (d->context) cl.ReleaseContext(d->context);
  free(d);
}

static quern_gpu_device *open_device(int index, quern_gpu_error *e) {
  int32_t code = 0;
  if (ready(e)) return NULL;
  if (index < 0 || index >= device_count) return quern_gpu_fail(e, QUERN_GPU_ABSENT, "no OpenCL device %d", index), NULL;
  quern_gpu_device *d = calloc(1, sizeof *d);
  if (!d) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host"), NULL;
  atomic_init(&d->references, 1);
  d->device = devices[index];
  const intptr_t properties[] = {0x1084, (intptr_t)platforms[index], 0};
  d->context = cl.CreateContext(properties, 1, &d->device, NULL, NULL, &code);
  if (failed(e, "clCreateContext", code)) return release(d), NULL;
  d->queue = cl.CreateCommandQueue(d->context, d->device, Q_PROFILING, &code);
  if (failed(e, "clCreateCommandQueue", code)) return release(d), NULL;
  return d;
}

static quern_gpu_buffer *alloc(quern_gpu_device *d, uint64_t bytes, quern_gpu_error *e) {
  int32_t code = 0;
  quern_gpu_buffer *b = calloc(1, sizeof *b);
  if (!b) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host"), NULL;
  b->handle = cl.CreateBuffer(d->context, MEM_READ_WRITE, bytes ? (bytes + 15) / 16 * 16 : 16, NULL, &code); /* whole texels */
  if (failed(e, "clCreateBuffer", code)) return free(b), NULL;
  b->device = d;
  b->bytes = bytes;
  atomic_fetch_add(&d->references, 1);
  return b;
}
static void free_buffer(quern_gpu_buffer *b) {
  for (int i = 0; i < 7; i++) if (b->images[i]) cl.ReleaseMemObject(b->images[i]);
  cl.ReleaseMemObject(b->handle); /* lives on while commands use it */
  release(b->device);
  free(b);
}
static int write_buffer(quern_gpu_buffer *b, uint64_t offset, const void *from, uint64_t bytes, quern_gpu_error *e) {
  return bytes == 0 ? 0 : failed(e, "clEnqueueWriteBuffer", cl.EnqueueWriteBuffer(b->device->queue, b->handle, 1, offset, bytes, from, 0, NULL, NULL));
}
static int read_buffer(quern_gpu_buffer *b, uint64_t offset, void *to, uint64_t bytes, quern_gpu_error *e) {
  if (bytes == 0) return failed(e, "clFinish", cl.Finish(b->device->queue));
  return failed(e, "clEnqueueReadBuffer", cl.EnqueueReadBuffer(b->device->queue, b->handle, 1, offset, bytes, to, 0, NULL, NULL));
}
static int copy_buffer(quern_gpu_buffer *to, uint64_t at, quern_gpu_buffer *from, uint64_t offset, uint64_t bytes, quern_gpu_error *e) {
  return bytes == 0 ? 0 : failed(e, "clEnqueueCopyBuffer", cl.EnqueueCopyBuffer(to->device->queue, from->handle, to->handle, offset, at, bytes, 0, NULL, NULL));
}
static int fill_buffer(quern_gpu_buffer *b, uint64_t offset, int byte, uint64_t bytes, quern_gpu_error *e) {
  const unsigned char pattern = (unsigned char)byte;
  return bytes == 0 ? 0 : failed(e, "clEnqueueFillBuffer", cl.EnqueueFillBuffer(b->device->queue, b->handle, &pattern, 1, offset, bytes, 0, NULL, NULL));
}

static quern_gpu_module *built(quern_gpu_device *d, void *program, const char *options, quern_gpu_error *e) {
  int32_t code = cl.BuildProgram(program, 1, &d->device, options, NULL, NULL);
  size_t size = 0;
  e->text[0] = 0;
  if (cl.GetProgramBuildInfo(program, d->device, BUILD_LOG, 0, NULL, &size) == 0 && size > 1) {
    char *log = malloc(size);
    if (log && cl.GetProgramBuildInfo(program, d->device, BUILD_LOG, size, log, NULL) == 0) snprintf(e->text, QUERN_GPU_LOG, "%s", log);
    free(log);
  }
  quern_gpu_module *m = code ? NULL : calloc(1, sizeof *m);
  if (!m) {
    cl.ReleaseProgram(program);
    e->code = QUERN_GPU_COMPILE;
    if (!e->text[0]) quern_gpu_fail(e, QUERN_GPU_COMPILE, "clBuildProgram: %s (%d)", name_of(code), (int)code);
    return NULL;
  }
  m->device = d;
  m->program = program;
  atomic_fetch_add(&d->references, 1);
  return m;
}

static quern_gpu_module *build(quern_gpu_device *d, const char *source, int flagc, const char *const *flags, quern_gpu_error *e) {
  char options[4096];
  size_t used = 0;
  options[0] = 0;
  for (int i = 0; i < flagc && used < sizeof options; i++) used += (size_t)snprintf(options + used, sizeof options - used, "%s%s", i ? " " : "", flags[i]);
  if (used >= sizeof options) return quern_gpu_fail(e, QUERN_GPU_COMPILE, "more flags than 4095 bytes hold"), NULL;
  int32_t code = 0;
  void *program = cl.CreateProgramWithSource(d->context, 1, &source, NULL, &code);
  return failed(e, "clCreateProgramWithSource", code) ? NULL : built(d, program, options, e);
}

static quern_gpu_module *load(quern_gpu_device *d, const void *binary, uint64_t bytes, quern_gpu_error *e) {
  int32_t code = 0, status = 0;
  const size_t size = bytes;
  const unsigned char *data = binary;
  void *program = cl.CreateProgramWithBinary(d->context, 1, &d->device, &size, &data, &status, &code);
  if (failed(e, "clCreateProgramWithBinary", code ? code : status)) {
    if (program) cl.ReleaseProgram(program);
    return NULL;
  }
  return built(d, program, "", e);
}

static void *binary_of(quern_gpu_module *m, uint64_t *bytes, quern_gpu_error *e) {
  size_t size = 0;
  if (failed(e, "clGetProgramInfo", cl.GetProgramInfo(m->program, BINARY_SIZES, sizeof size, &size, NULL))) return NULL;
  unsigned char *out = malloc(size ? size : 1);
  if (!out) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host"), NULL;
  if (failed(e, "clGetProgramInfo", cl.GetProgramInfo(m->program, BINARIES, sizeof out, &out, NULL))) return free(out), NULL;
  *bytes = size;
  return out;
}

static int find_function(quern_gpu_module *m, const char *entry, quern_gpu_error *e) {
  for (int i = 0; i < m->count; i++) if (!strcmp(m->functions[i].name, entry)) return i;
  int32_t code = 0;
  void *handle = cl.CreateKernel(m->program, entry, &code);
  if (failed(e, entry, code)) return -1;
  void *more = realloc(m->functions, sizeof *m->functions * (size_t)(m->count + 1));
  char *name = more ? strdup(entry) : NULL;
  if (more) m->functions = more;
  if (!name) return cl.ReleaseKernel(handle), quern_gpu_fail(e, QUERN_GPU_FAILED, "no memory on the host");
  m->functions[m->count].handle = handle;
  m->functions[m->count].name = name;
  return m->count++;
}

static void unload(quern_gpu_module *m) {
  for (int i = 0; i < m->count; i++) {
    cl.ReleaseKernel(m->functions[i].handle);
    free(m->functions[i].name);
  }
  free(m->functions);
  cl.ReleaseProgram(m->program);
  release(m->device);
  free(m);
}

/* A buffer as an image, as far as images reach; made once. Texels have four elements: see quern_gpu_arg. */
static void *image_of(quern_gpu_buffer *b, uint32_t format, int32_t *code) {
  static const uint32_t types[7][2] = {{0x10DE, 16}, {0x10D9, 16}, {0x10DC, 16}, {0x10D8, 8}, {0x10DB, 8}, {0x10D7, 4}, {0x10DA, 4}}; /* CL_FLOAT, CL_SIGNED_INT32, … and the bytes of a texel */
  *code = -50;
  if (format > 7 || !create_image) return NULL;
  *code = 0;
  if (b->images[format - 1]) return b->images[format - 1];
  uint64_t most = number(b->device->device, D_TEXELS), all = ((b->bytes ? b->bytes : 16) + 15) / 16 * 16 / types[format - 1][1];
  struct { uint32_t order, type; } texel = {RGBA, types[format - 1][0]};
  struct { uint32_t type; size_t width, height, depth, array, row, slice; uint32_t levels, samples; void *buffer; } description = {.type = IMAGE1D_BUFFER, .width = all < most ? all : most, .buffer = b->handle};
  return b->images[format - 1] = create_image(b->device->context, MEM_READ_ONLY, &texel, &description, NULL, code);
}

static int launch(quern_gpu_device *d, const quern_gpu_launch *l, quern_gpu_error *e) {
  void *kernel = l->module->functions[l->function].handle;
  const char *name = l->module->functions[l->function].name;
  size_t global[3], local[3];
  for (int i = 0; i < 3; i++) local[i] = l->block[i], global[i] = (size_t)l->grid[i] * l->block[i];
  for (int32_t i = 0; i < l->argc; i++) {
    const quern_gpu_arg *a = &l->args[i];
    int32_t code = 0;
    void *image = a->buffer && a->size ? image_of(a->buffer, a->size, &code) : NULL;
    if (!code) code = a->buffer ? cl.SetKernelArg(kernel, (uint32_t)i, sizeof(void *), image ? &image : &a->buffer->handle) : cl.SetKernelArg(kernel, (uint32_t)i, a->size, a->value);
    if (code) return quern_gpu_fail(e, QUERN_GPU_LAUNCH, "%s: argument %d: %s (%d)", name, (int)i, name_of(code), (int)code);
  }
  if (l->dynamic_shared) return quern_gpu_fail(e, QUERN_GPU_LAUNCH, "%s: OpenCL has no dynamic shared memory", name);
  if (failed(e, name, cl.EnqueueNDRangeKernel(d->queue, kernel, 3, NULL, global, local, 0, NULL, NULL))) return -1;
  return failed(e, "clFlush", cl.Flush(d->queue));
}

static int sync_device(quern_gpu_device *d, quern_gpu_error *e) { return failed(e, "clFinish", cl.Finish(d->queue)); }
static int mark(quern_gpu_device *d, int slot, quern_gpu_error *e) {
  if (d->marks[slot]) cl.ReleaseEvent(d->marks[slot]);
  d->marks[slot] = NULL;
  return failed(e, "clEnqueueMarker", cl.EnqueueMarkerWithWaitList(d->queue, 0, NULL, &d->marks[slot]));
}
static int elapsed(quern_gpu_device *d, int from, int to, double *ns, quern_gpu_error *e) {
  uint64_t a = 0, b = 0;
  if (!d->marks[from] || !d->marks[to]) return quern_gpu_fail(e, QUERN_GPU_FAILED, "no mark was made there");
  if (failed(e, "clWaitForEvents", cl.WaitForEvents(1, &d->marks[to])) || failed(e, "clGetEventProfilingInfo", cl.GetEventProfilingInfo(d->marks[from], E_END, sizeof a, &a, NULL)) ||
      failed(e, "clGetEventProfilingInfo", cl.GetEventProfilingInfo(d->marks[to], E_END, sizeof b, &b, NULL)))
    return -1;
  *ns = (double)(b - a);
  return 0;
}

static int identity(quern_gpu_device *d, char *text, int size, quern_gpu_error *e) {
  char name[256] = "", version[128] = "", driver[128] = "";
  (void)e;
  cl.GetDeviceInfo(d->device, D_NAME, sizeof name, name, NULL);
  cl.GetDeviceInfo(d->device, D_VERSION, sizeof version, version, NULL);
  cl.GetDeviceInfo(d->device, D_DRIVER, sizeof driver, driver, NULL);
  snprintf(text, (size_t)size, "opencl %s | %s | %s", name, version, driver);
  return 0;
}

const quern_gpu_driver *quern_gpu_opencl(void) {
  static const quern_gpu_driver driver = {
      "opencl", count, describe, open_device, release, alloc, free_buffer, write_buffer, read_buffer, copy_buffer, fill_buffer, build, load, binary_of,
      find_function, unload, launch, sync_device, mark, elapsed, NULL, identity};
  return &driver;
}
