/* Memory handles: aligned allocations and mapped files, and the views that JavaScript has of them. */
#include "args.h"

#include <stdlib.h>
#include <string.h>

static void weigh(napi_env env, const quern_memory *m, int sign) {
  int64_t now; /* lets the garbage collector know what the small handle really weighs */
  if (m->kind != QUERN_FILE) napi_adjust_external_memory(env, sign * (int64_t)m->bytes, &now);
}

static void drop(napi_env env, quern_memory_handle *handle) {
  quern_memory *m = handle->memory;
  if (!m) return;
  handle->memory = NULL;
  atomic_store(&m->closed, 1);
  weigh(env, m, -1);
  quern_memory_release(m);
}

static void free_memory(napi_env env, void *data, void *hint) {
  (void)hint;
  drop(env, data);
  free(data);
}

static napi_value wrap_memory(napi_env env, quern_memory *m) {
  quern_memory_handle *handle = malloc(sizeof *handle);
  if (!handle) {
    quern_memory_release(m);
    return quern_throw_status(env, QUERN_E_MEMORY, "memory handle");
  }
  handle->memory = m;
  weigh(env, m, 1);
  return quern_wrap(env, QUERN_HANDLE_MEMORY, handle, free_memory);
}

/* memoryAlloc(bytes) -> memory, zeroed */
static napi_value memory_alloc(napi_env env, napi_callback_info info) {
  napi_value args[1];
  uint64_t bytes;
  quern_memory *m;
  if (!quern_args(env, info, 1, args) || !quern_arg_count(env, args[0], "bytes", &bytes)) return NULL;
  quern_status status = quern_memory_alloc(bytes, &m);
  return status ? quern_throw_status(env, status, "memoryAlloc") : wrap_memory(env, m);
}

/* memoryMap(path) -> memory, read-only */
static napi_value memory_map(napi_env env, napi_callback_info info) {
  napi_value args[1];
  char path[4096];
  quern_memory *m;
  if (!quern_args(env, info, 1, args) || !quern_arg_text(env, args[0], "path", path, sizeof path)) return NULL;
  quern_status status = quern_memory_map(path, &m);
  return status ? quern_throw_status(env, status, path) : wrap_memory(env, m);
}

/* Offset and length of a part, checked against the memory. */
static int part(napi_env env, const quern_memory *m, napi_value offset, napi_value length, uint64_t *at, uint64_t *bytes) {
  if (!quern_arg_count(env, offset, "offset", at) || !quern_arg_count(env, length, "length", bytes)) return 0;
  if (*at <= m->bytes && *bytes <= m->bytes - *at) return 1;
  quern_throw(env, "QUERN_E_RANGE", "%llu bytes at %llu do not lie within the memory's %llu bytes", (unsigned long long)*bytes,
              (unsigned long long)*at, (unsigned long long)m->bytes);
  return 0;
}

static void free_view(napi_env env, void *data, void *hint) {
  (void)env, (void)data;
  quern_memory_release(hint);
}

/* memoryView(memory, offset, length) -> ArrayBuffer over the same bytes, which it keeps alive.
 * Of a mapped file it is a private view: writing to it changes neither the file nor anybody else's view of it. */
static napi_value memory_view(napi_env env, napi_callback_info info) {
  napi_value args[3], buffer;
  quern_memory *m;
  uint64_t at, bytes;
  if (!quern_args(env, info, 3, args) || !(m = quern_arg_memory(env, args[0], "memory")) || !part(env, m, args[1], args[2], &at, &bytes))
    return NULL;
  if (!bytes) {
    void *nothing;
    return napi_create_arraybuffer(env, 0, &nothing, &buffer) == napi_ok ? buffer : NULL;
  }
  quern_status status = quern_memory_unprotect(m, at, bytes);
  if (status) return quern_throw_status(env, status, "memoryView");
  quern_memory_retain(m);
  if (napi_create_external_arraybuffer(env, m->data + at, (size_t)bytes, free_view, m, &buffer) == napi_ok) return buffer;
  quern_memory_release(m);
  return quern_throw(env, "QUERN_E_MEMORY", "no ArrayBuffer of %llu bytes can be made", (unsigned long long)bytes);
}

/* memoryRead(memory, offset, length) -> ArrayBuffer, a copy */
static napi_value memory_read(napi_env env, napi_callback_info info) {
  napi_value args[3], buffer;
  quern_memory *m;
  uint64_t at, bytes;
  void *data;
  if (!quern_args(env, info, 3, args) || !(m = quern_arg_memory(env, args[0], "memory")) || !part(env, m, args[1], args[2], &at, &bytes))
    return NULL;
  if (napi_create_arraybuffer(env, (size_t)bytes, &data, &buffer) != napi_ok)
    return quern_throw(env, "QUERN_E_MEMORY", "no ArrayBuffer of %llu bytes can be made", (unsigned long long)bytes);
  if (bytes) memcpy(data, m->data + at, (size_t)bytes);
  return buffer;
}

/* memoryWrite(memory, offset, source): copies all of source */
static napi_value memory_write(napi_env env, napi_callback_info info) {
  napi_value args[3];
  quern_memory *m;
  uint64_t at;
  quern_bytes from;
  if (!quern_args(env, info, 3, args) || !(m = quern_arg_memory(env, args[0], "memory")) || !quern_arg_count(env, args[1], "offset", &at) ||
      !quern_arg_bytes(env, args[2], "source", &from))
    return NULL;
  if (m->kind == QUERN_FILE) return quern_throw(env, "QUERN_E_READONLY", "this memory is a file mapped for reading");
  if (at > m->bytes || from.length > m->bytes - at)
    return quern_throw(env, "QUERN_E_RANGE", "%llu bytes at %llu do not lie within the memory's %llu bytes",
                       (unsigned long long)from.length, (unsigned long long)at, (unsigned long long)m->bytes);
  if (from.length) memmove(m->data + at, from.data, (size_t)from.length);
  return NULL;
}

/* memoryAdvise(memory, offset, length, advice: 0 normal, 1 willneed, 2 random, 3 sequential, 4 dontneed) */
static napi_value memory_advise(napi_env env, napi_callback_info info) {
  napi_value args[4];
  quern_memory *m;
  uint64_t at, bytes;
  double advice;
  if (!quern_args(env, info, 4, args) || !(m = quern_arg_memory(env, args[0], "memory")) || !part(env, m, args[1], args[2], &at, &bytes) ||
      !quern_arg_number(env, args[3], "advice", 0, 4, &advice))
    return NULL;
  quern_memory_advise(m, at, bytes, (quern_advice)(int)advice);
  return NULL;
}

/* memoryBytes(memory) -> number */
static napi_value memory_bytes(napi_env env, napi_callback_info info) {
  napi_value args[1], result;
  quern_memory *m;
  if (!quern_args(env, info, 1, args) || !(m = quern_arg_memory(env, args[0], "memory"))) return NULL;
  return napi_create_double(env, (double)m->bytes, &result) == napi_ok ? result : NULL;
}

/* memoryFree(memory, view | null): no new use from now on; the view is detached. The bytes go when no view, no plan and no
 * run in progress holds them. */
static napi_value memory_free(napi_env env, napi_callback_info info) {
  napi_value args[2];
  void *object;
  if (!quern_args(env, info, 2, args) || !quern_arg_handle(env, args[0], QUERN_HANDLE_MEMORY, &object)) return NULL;
  drop(env, object);
  bool is = false;
  if (napi_is_arraybuffer(env, args[1], &is) == napi_ok && is) napi_detach_arraybuffer(env, args[1]);
  return NULL;
}

int quern_export_memories(napi_env env, napi_value exports) {
  static const quern_export list[] = {{"memoryAlloc", memory_alloc}, {"memoryMap", memory_map},       {"memoryView", memory_view},
                                      {"memoryRead", memory_read},   {"memoryWrite", memory_write},   {"memoryAdvise", memory_advise},
                                      {"memoryBytes", memory_bytes}, {"memoryFree", memory_free}};
  return quern_export_all(env, exports, list, sizeof list / sizeof *list);
}
