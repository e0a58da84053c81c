/* GPUs for JavaScript: devices, their memory, and compiled modules. Launches are in gpu_launch.c. */
#include "gpu.h"

#include <stdlib.h>
#include <string.h>

napi_value quern_throw_gpu(napi_env env, const quern_gpu_error *e) {
  static const char *const codes[] = {"QUERN_E_INTERNAL", "QUERN_E_GPU_ABSENT", "QUERN_E_MEMORY", "QUERN_E_COMPILE", "QUERN_E_GPU_LAUNCH", "QUERN_E_GPU_LOST", "QUERN_E_GPU"};
  napi_throw_error(env, codes[e->code], e->text);
  return NULL;
}

static const quern_gpu_driver *driver_of(napi_env env, napi_value value) {
  char kind[16];
  if (!quern_arg_text(env, value, "kind", kind, sizeof kind)) return NULL;
  if (!strcmp(kind, "cuda")) return quern_gpu_cuda();
  if (!strcmp(kind, "opencl")) return quern_gpu_opencl();
  quern_throw(env, "QUERN_E_ARGUMENT", "kind must be cuda or opencl");
  return NULL;
}

quern_gpu_handle *quern_arg_gpu(napi_env env, napi_value value) {
  void *object;
  return quern_arg_handle(env, value, QUERN_HANDLE_GPU, &object) ? object : NULL;
}
quern_gpu_buffer_handle *quern_arg_gpu_buffer(napi_env env, napi_value value) {
  void *object;
  if (!quern_arg_handle(env, value, QUERN_HANDLE_GPU_BUFFER, &object)) return NULL;
  quern_gpu_buffer_handle *b = object;
  if (b->buffer) return b;
  quern_throw(env, "QUERN_E_CLOSED", "this device memory has been freed");
  return NULL;
}
quern_gpu_module_handle *quern_arg_gpu_module(napi_env env, napi_value value) {
  void *object;
  return quern_arg_handle(env, value, QUERN_HANDLE_GPU_MODULE, &object) ? object : NULL;
}

int quern_arg_numbers(napi_env env, napi_value value, const char *what, size_t count, const double **data) {
  bool is = false;
  napi_typedarray_type type = napi_int8_array;
  size_t have = 0;
  void *at = NULL;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is && napi_get_typedarray_info(env, value, &type, &have, &at, NULL, NULL) == napi_ok &&
      type == napi_float64_array && have == count) {
    *data = at;
    return 1;
  }
  quern_throw(env, "QUERN_E_ARGUMENT", "%s must be a Float64Array of length %zu", what, count);
  return 0;
}

/* gpuCount(kind) */
static napi_value gpu_count(napi_env env, napi_callback_info info) {
  napi_value args[1], result;
  char text[QUERN_GPU_LOG];
  quern_gpu_error e = {QUERN_GPU_OK, text};
  if (!quern_args(env, info, 1, args)) return NULL;
  const quern_gpu_driver *driver = driver_of(env, args[0]);
  if (!driver) return NULL;
  int n = driver->count(&e);
  if (n < 0) return quern_throw_gpu(env, &e);
  return napi_create_int32(env, n, &result) == napi_ok ? result : NULL;
}

static int set_three(napi_env env, napi_value object, const char *key, const int64_t values[3]) {
  napi_value list, x;
  if (napi_create_array_with_length(env, 3, &list) != napi_ok) return 0;
  for (uint32_t i = 0; i < 3; i++) if (napi_create_double(env, (double)values[i], &x) != napi_ok || napi_set_element(env, list, i, x) != napi_ok) return 0;
  return napi_set_named_property(env, object, key, list) == napi_ok;
}

/* gpuDescribe(kind, index) */
static napi_value gpu_describe(napi_env env, napi_callback_info info) {
  napi_value args[2], o;
  double index;
  char text[QUERN_GPU_LOG];
  quern_gpu_error e = {QUERN_GPU_OK, text};
  quern_gpu_info i;
  if (!quern_args(env, info, 2, args)) return NULL;
  const quern_gpu_driver *driver = driver_of(env, args[0]);
  if (!driver || !quern_arg_number(env, args[1], "index", 0, 1e6, &index)) return NULL;
  if (driver->describe((int)index, &i, &e)) return quern_throw_gpu(env, &e);
  if (napi_create_object(env, &o) != napi_ok || !quern_set_text(env, o, "name", i.name) || !quern_set_text(env, o, "vendor", i.vendor) ||
      !quern_set_text(env, o, "driver", i.driver) || !quern_set_text(env, o, "features", i.features) || !quern_set_number(env, o, "software", i.software) ||
      !quern_set_number(env, o, "integrated", i.integrated) || !quern_set_number(env, o, "units", i.units) || !quern_set_number(env, o, "major", i.major) ||
      !quern_set_number(env, o, "minor", i.minor) || !quern_set_number(env, o, "lanes", i.lanes) || !quern_set_number(env, o, "memoryBytes", (double)i.memory) ||
      !quern_set_number(env, o, "bufferBytes", (double)i.max_buffer) || !quern_set_number(env, o, "sharedBytes", (double)i.shared) ||
      !quern_set_number(env, o, "texels", (double)i.texels) || !quern_set_number(env, o, "dynamicSharedBytes", (double)i.shared_optin) || !quern_set_number(env, o, "cacheBytes", (double)i.cache) ||
      !set_three(env, o, "grid", i.grid) || !set_three(env, o, "block", i.block))
    return NULL;
  return o;
}

static void close_gpu(napi_env env, void *data, void *hint) {
  quern_gpu_handle *h = data;
  (void)env, (void)hint;
  h->driver->close(h->device);
  free(h);
}

/* gpuOpen(kind, index) -> device */
static napi_value gpu_open(napi_env env, napi_callback_info info) {
  napi_value args[2];
  double index;
  if (!quern_args(env, info, 2, args)) return NULL;
  const quern_gpu_driver *driver = driver_of(env, args[0]);
  if (!driver || !quern_arg_number(env, args[1], "index", 0, 1e6, &index)) return NULL;
  quern_gpu_handle *h = calloc(1, sizeof *h);
  if (!h) return quern_throw_status(env, QUERN_E_MEMORY, "device handle");
  h->driver = driver;
  h->error.text = h->text;
  h->device = driver->open((int)index, &h->error);
  if (h->device) return quern_wrap(env, QUERN_HANDLE_GPU, h, close_gpu);
  quern_throw_gpu(env, &h->error);
  free(h);
  return NULL;
}

static void drop_buffer(quern_gpu_buffer_handle *b) {
  if (b->buffer) b->driver->free(b->buffer);
  b->buffer = NULL;
}
static void free_buffer(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  drop_buffer(data);
  free(data);
}

/* gpuAlloc(device, bytes) -> buffer; what it holds is undefined */
static napi_value gpu_alloc(napi_env env, napi_callback_info info) {
  napi_value args[2];
  uint64_t bytes;
  if (!quern_args(env, info, 2, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  if (!h || !quern_arg_count(env, args[1], "bytes", &bytes)) return NULL;
  quern_gpu_buffer_handle *b = calloc(1, sizeof *b);
  if (!b) return quern_throw_status(env, QUERN_E_MEMORY, "device memory handle");
  b->driver = h->driver;
  b->bytes = bytes;
  b->buffer = h->driver->alloc(h->device, bytes, &h->error);
  if (b->buffer) return quern_wrap(env, QUERN_HANDLE_GPU_BUFFER, b, free_buffer);
  free(b);
  return quern_throw_gpu(env, &h->error);
}

/* gpuFree(buffer): harmless when repeated */
static napi_value gpu_free(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *object;
  if (!quern_args(env, info, 1, args) || !quern_arg_handle(env, args[0], QUERN_HANDLE_GPU_BUFFER, &object)) return NULL;
  drop_buffer(object);
  return NULL;
}

static int within(napi_env env, const quern_gpu_buffer_handle *b, uint64_t offset, uint64_t length) {
  if (offset <= b->bytes && length <= b->bytes - offset) return 1;
  quern_throw(env, "QUERN_E_RANGE", "bytes [%llu, %llu) do not lie within the %llu of this device memory", (unsigned long long)offset, (unsigned long long)(offset + length), (unsigned long long)b->bytes);
  return 0;
}

/* gpuWrite(device, buffer, offset, bytes): returns when the source may change again */
static napi_value gpu_write(napi_env env, napi_callback_info info) {
  napi_value args[4];
  uint64_t offset;
  quern_bytes from;
  if (!quern_args(env, info, 4, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_buffer_handle *b = h ? quern_arg_gpu_buffer(env, args[1]) : NULL;
  if (!b || !quern_arg_count(env, args[2], "offset", &offset) || !quern_arg_bytes(env, args[3], "source", &from) || !within(env, b, offset, from.length)) return NULL;
  return h->driver->write(b->buffer, offset, from.data, from.length, &h->error) ? quern_throw_gpu(env, &h->error) : NULL;
}

/* gpuRead(device, buffer, offset, target): waits for all that was asked before */
static napi_value gpu_read(napi_env env, napi_callback_info info) {
  napi_value args[4];
  uint64_t offset;
  quern_bytes to;
  if (!quern_args(env, info, 4, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_buffer_handle *b = h ? quern_arg_gpu_buffer(env, args[1]) : NULL;
  if (!b || !quern_arg_count(env, args[2], "offset", &offset) || !quern_arg_bytes(env, args[3], "target", &to) || !within(env, b, offset, to.length)) return NULL;
  return h->driver->read(b->buffer, offset, to.data, to.length, &h->error) ? quern_throw_gpu(env, &h->error) : NULL;
}

/* gpuCopy(device, to, at, from, offset, bytes) */
static napi_value gpu_copy(napi_env env, napi_callback_info info) {
  napi_value args[6];
  uint64_t at, offset, bytes;
  if (!quern_args(env, info, 6, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_buffer_handle *to = h ? quern_arg_gpu_buffer(env, args[1]) : NULL, *from = to ? quern_arg_gpu_buffer(env, args[3]) : NULL;
  if (!from || !quern_arg_count(env, args[2], "at", &at) || !quern_arg_count(env, args[4], "offset", &offset) || !quern_arg_count(env, args[5], "bytes", &bytes) ||
      !within(env, to, at, bytes) || !within(env, from, offset, bytes))
    return NULL;
  return h->driver->copy(to->buffer, at, from->buffer, offset, bytes, &h->error) ? quern_throw_gpu(env, &h->error) : NULL;
}

/* gpuFill(device, buffer, offset, byte, bytes) */
static napi_value gpu_fill(napi_env env, napi_callback_info info) {
  napi_value args[5];
  uint64_t offset, bytes;
  double byte;
  if (!quern_args(env, info, 5, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_buffer_handle *b = h ? quern_arg_gpu_buffer(env, args[1]) : NULL;
  if (!b || !quern_arg_count(env, args[2], "offset", &offset) || !quern_arg_number(env, args[3], "byte", 0, 255, &byte) || !quern_arg_count(env, args[4], "bytes", &bytes) || !within(env, b, offset, bytes)) return NULL;
  return h->driver->fill(b->buffer, offset, (int)byte, bytes, &h->error) ? quern_throw_gpu(env, &h->error) : NULL;
}

static void unload(napi_env env, void *data, void *hint) {
  quern_gpu_module_handle *m = data;
  (void)env, (void)hint;
  m->driver->unload(m->module);
  free(m);
}
static napi_value wrap_module(napi_env env, quern_gpu_handle *h, quern_gpu_module *module) {
  if (!module) return quern_throw_gpu(env, &h->error);
  quern_gpu_module_handle *m = calloc(1, sizeof *m);
  if (!m) {
    h->driver->unload(module);
    return quern_throw_status(env, QUERN_E_MEMORY, "device module handle");
  }
  m->driver = h->driver;
  m->module = module;
  return quern_wrap(env, QUERN_HANDLE_GPU_MODULE, m, unload);
}

/* gpuBuild(device, source, flags) -> module */
static napi_value gpu_build(napi_env env, napi_callback_info info) {
  enum { MOST = 64 };
  napi_value args[3], flag;
  uint32_t count = 0;
  size_t length, copied;
  bool is = false;
  char *flags[MOST] = {0};
  if (!quern_args(env, info, 3, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  if (!h) return NULL;
  if (napi_get_value_string_utf8(env, args[1], NULL, 0, &length) != napi_ok) return quern_throw(env, "QUERN_E_ARGUMENT", "source must be a string");
  if (napi_is_array(env, args[2], &is) != napi_ok || !is || napi_get_array_length(env, args[2], &count) != napi_ok || count > MOST) return quern_throw(env, "QUERN_E_ARGUMENT", "flags must be an array of at most %d strings", MOST);
  char *source = malloc(length + 1);
  quern_gpu_module *module = NULL;
  int ok = source && napi_get_value_string_utf8(env, args[1], source, length + 1, &copied) == napi_ok;
  for (uint32_t i = 0; ok && i < count; i++) {
    flags[i] = malloc(256);
    ok = flags[i] && napi_get_element(env, args[2], i, &flag) == napi_ok && quern_arg_text(env, flag, "flag", flags[i], 256);
  }
  if (ok) module = h->driver->build(h->device, source, (int)count, (const char *const *)flags, &h->error);
  free(source);
  for (uint32_t i = 0; i < count; i++) free(flags[i]);
  bool pending = false;
  if (!ok) return napi_is_exception_pending(env, &pending) == napi_ok && pending ? NULL : quern_throw_status(env, QUERN_E_MEMORY, "source");
  return wrap_module(env, h, module);
}

/* gpuLoad(device, binary) -> module */
static napi_value gpu_load(napi_env env, napi_callback_info info) {
  napi_value args[2];
  quern_bytes binary;
  if (!quern_args(env, info, 2, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  if (!h || !quern_arg_bytes(env, args[1], "binary", &binary)) return NULL;
  return wrap_module(env, h, h->driver->load(h->device, binary.data, binary.length, &h->error));
}

/* gpuBinary(device, module) -> ArrayBuffer */
static napi_value gpu_binary(napi_env env, napi_callback_info info) {
  napi_value args[2], result;
  uint64_t bytes = 0;
  void *at;
  if (!quern_args(env, info, 2, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_module_handle *m = h ? quern_arg_gpu_module(env, args[1]) : NULL;
  if (!m) return NULL;
  void *binary = m->driver->binary(m->module, &bytes, &h->error);
  if (!binary) return quern_throw_gpu(env, &h->error);
  napi_status status = napi_create_arraybuffer(env, bytes, &at, &result);
  if (status == napi_ok) memcpy(at, binary, bytes);
  free(binary);
  return status == napi_ok ? result : NULL;
}

/* gpuFunction(device, module, entry) -> number */
static napi_value gpu_function(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  char entry[512];
  if (!quern_args(env, info, 3, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_module_handle *m = h ? quern_arg_gpu_module(env, args[1]) : NULL;
  if (!m || !quern_arg_text(env, args[2], "entry", entry, sizeof entry)) return NULL;
  int f = m->driver->function(m->module, entry, &h->error);
  if (f < 0) return quern_throw_gpu(env, &h->error);
  if (f >= m->functions) m->functions = f + 1;
  return napi_create_int32(env, f, &result) == napi_ok ? result : NULL;
}

/* gpuMark(device, slot) */
static napi_value gpu_mark(napi_env env, napi_callback_info info) {
  napi_value args[2];
  double slot;
  quern_gpu_handle *h = quern_args(env, info, 2, args) ? quern_arg_gpu(env, args[0]) : NULL;
  if (!h || !quern_arg_number(env, args[1], "slot", 0, QUERN_GPU_MARKS - 1, &slot)) return NULL;
  return h->driver->mark(h->device, (int)slot, &h->error) ? quern_throw_gpu(env, &h->error) : NULL;
}

/* gpuElapsed(device, from, to) -> ns */
static napi_value gpu_elapsed(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  double from, to, ns = 0;
  quern_gpu_handle *h = quern_args(env, info, 3, args) ? quern_arg_gpu(env, args[0]) : NULL;
  if (!h || !quern_arg_number(env, args[1], "from", 0, QUERN_GPU_MARKS - 1, &from) || !quern_arg_number(env, args[2], "to", 0, QUERN_GPU_MARKS - 1, &to)) return NULL;
  if (h->driver->elapsed(h->device, (int)from, (int)to, &ns, &h->error)) return quern_throw_gpu(env, &h->error);
  return napi_create_double(env, ns, &result) == napi_ok ? result : NULL;
}

/* gpuIdentity(device) -> text */
static napi_value gpu_identity(napi_env env, napi_callback_info info) {
  napi_value args[1], result;
  char text[1024];
  quern_gpu_handle *h = quern_args(env, info, 1, args) ? quern_arg_gpu(env, args[0]) : NULL;
  if (!h) return NULL;
  if (h->driver->identity(h->device, text, (int)sizeof text, &h->error)) return quern_throw_gpu(env, &h->error);
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result) == napi_ok ? result : NULL;
}

int quern_export_gpu(napi_env env, napi_value exports) {
  static const quern_export list[] = {
      {"gpuCount", gpu_count},   {"gpuDescribe", gpu_describe}, {"gpuOpen", gpu_open},         {"gpuAlloc", gpu_alloc},
      {"gpuFree", gpu_free},     {"gpuWrite", gpu_write},       {"gpuRead", gpu_read},         {"gpuCopy", gpu_copy},
      {"gpuFill", gpu_fill},     {"gpuBuild", gpu_build},       {"gpuLoad", gpu_load},         {"gpuBinary", gpu_binary},
      {"gpuFunction", gpu_function}, {"gpuMark", gpu_mark},     {"gpuElapsed", gpu_elapsed},   {"gpuIdentity", gpu_identity},
      {"gpuLaunch", quern_gpu_launch_call}, {"gpuTensorMap", quern_gpu_tensor_map_call}, {"gpuSyncAsync", quern_gpu_sync_async}};
  return quern_export_all(env, exports, list, sizeof list / sizeof *list);
}
