/* Launches on GPUs, and waiting for them in another thread. */
#include "gpu.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ARGS = 256, MOST_BUFFERS = 128 };

/* Arguments as bytes, one after the other: a head of 16 bytes { kind u32 (0: value, 1: buffer), size u32 (of a buffer: its image), offset u64 }; of a value its bytes
 * follow, filled up to a multiple of 16. Buffers come in the order of `buffers`. Returns how many, or -1 with an exception. */
static int read_args(napi_env env, const quern_bytes *blob, napi_value buffers, quern_gpu_arg *out) {
  uint32_t have = 0, next = 0;
  int count = 0;
  bool is = false;
  if (napi_is_array(env, buffers, &is) != napi_ok || !is || napi_get_array_length(env, buffers, &have) != napi_ok || have > MOST_BUFFERS)
    return quern_throw(env, "QUERN_E_ARGUMENT", "buffers must be an array of at most %d", MOST_BUFFERS), -1;
  for (uint64_t at = 0; at < blob->length; count++) {
    struct { uint32_t kind, size; uint64_t offset; } head;
    if (count == MOST_ARGS || blob->length - at < sizeof head) return quern_throw(env, "QUERN_E_ARGUMENT", "malformed arguments"), -1;
    memcpy(&head, blob->data + at, sizeof head);
    at += sizeof head;
    if (head.kind == 1) {
      napi_value value;
      if (next == have || napi_get_element(env, buffers, next++, &value) != napi_ok) return quern_throw(env, "QUERN_E_ARGUMENT", "argument %d has no buffer", count), -1;
      quern_gpu_buffer_handle *b = quern_arg_gpu_buffer(env, value);
      if (!b) return -1;
      if (head.offset > b->bytes) return quern_throw(env, "QUERN_E_RANGE", "argument %d begins behind the end of its memory", count), -1;
      out[count] = (quern_gpu_arg){b->buffer, head.offset, NULL, head.size};
      continue;
    }
    uint64_t room = (head.size + 15u) / 16u * 16u;
    if (head.kind != 0 || room > blob->length - at) return quern_throw(env, "QUERN_E_ARGUMENT", "malformed arguments"), -1;
    out[count] = (quern_gpu_arg){NULL, 0, blob->data + at, head.size};
    at += room;
  }
  if (next != have) return quern_throw(env, "QUERN_E_ARGUMENT", "%u buffers for %u arguments that take one", (unsigned)have, (unsigned)next), -1;
  return count;
}

/* gpuLaunch(device, module, function, dims, args, buffers); dims: grid (3), block (3), dynamic shared bytes, overlap, cluster (3) */
napi_value quern_gpu_launch_call(napi_env env, napi_callback_info info) {
  napi_value args[6];
  double function;
  const double *dims;
  quern_bytes blob;
  quern_gpu_arg list[MOST_ARGS];
  if (!quern_args(env, info, 6, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_module_handle *m = h ? quern_arg_gpu_module(env, args[1]) : NULL;
  if (!m || !quern_arg_number(env, args[2], "function", 0, m->functions - 1, &function) || !quern_arg_numbers(env, args[3], "dims", 11, &dims) || !quern_arg_bytes(env, args[4], "arguments", &blob)) return NULL;
  for (int i = 0; i < 11; i++) if (!(dims[i] >= (i < 6 || i > 7 ? 1 : 0) && dims[i] <= 4294967295.0)) return quern_throw(env, "QUERN_E_ARGUMENT", "dims[%d] is %f", i, dims[i]);
  int count = read_args(env, &blob, args[5], list);
  if (count < 0) return NULL;
  quern_gpu_launch l = {.module = m->module, .function = (int32_t)function, .dynamic_shared = (uint32_t)dims[6], .overlap = dims[7] != 0, .argc = count, .args = list};
  for (int i = 0; i < 3; i++) l.grid[i] = (uint32_t)dims[i], l.block[i] = (uint32_t)dims[3 + i], l.cluster[i] = (uint32_t)dims[8 + i];
  return h->driver->launch(h->device, &l, &h->error) ? quern_throw_gpu(env, &h->error) : NULL;
}

/* gpuTensorMap(device, buffer, numbers) -> 128 bytes; numbers: offset, dtype, rank, swizzle, dims (5), strides (5), box (5) */
napi_value quern_gpu_tensor_map_call(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  const double *n;
  unsigned char map[128];
  void *at;
  if (!quern_args(env, info, 3, args)) return NULL;
  quern_gpu_handle *h = quern_arg_gpu(env, args[0]);
  quern_gpu_buffer_handle *b = h ? quern_arg_gpu_buffer(env, args[1]) : NULL;
  if (!b || !quern_arg_numbers(env, args[2], "numbers", 19, &n)) return NULL;
  if (!h->driver->tensor_map) return quern_throw(env, "QUERN_E_GPU_LAUNCH", "%s has no tensor maps", h->driver->kind);
  quern_gpu_map m = {.buffer = b->buffer, .offset = (uint64_t)n[0], .dtype = (int32_t)n[1], .rank = (int32_t)n[2], .swizzle = (int32_t)n[3]};
  for (int i = 0; i < 5; i++) m.dims[i] = (uint64_t)n[4 + i], m.strides[i] = (uint64_t)n[9 + i], m.box[i] = (uint32_t)n[14 + i];
  if (m.rank < 1 || m.rank > 5) return quern_throw(env, "QUERN_E_ARGUMENT", "a tensor map has 1 to 5 dimensions");
  if (h->driver->tensor_map(h->device, &m, map, &h->error)) return quern_throw_gpu(env, &h->error);
  if (napi_create_arraybuffer(env, sizeof map, &at, &result) != napi_ok) return NULL;
  memcpy(at, map, sizeof map);
  return result;
}

/* A wait in progress. It has an error of its own: the handle's may be in use. */
typedef struct waiting {
  napi_async_work work;
  napi_deferred promise;
  napi_ref owner;
  quern_gpu_handle *device;
  quern_gpu_error error;
  char text[QUERN_GPU_LOG];
  int failed;
} waiting;

static void wait_for(napi_env env, void *data) {
  waiting *w = data;
  (void)env;
  w->failed = w->device->driver->sync(w->device->device, &w->error);
}
static void waited(napi_env env, napi_status status, void *data) {
  waiting *w = data;
  napi_value value = NULL;
  if (w->failed || status != napi_ok) {
    quern_throw_gpu(env, &w->error);
    if (napi_get_and_clear_last_exception(env, &value) == napi_ok) napi_reject_deferred(env, w->promise, value);
  } else if (napi_get_undefined(env, &value) == napi_ok) napi_resolve_deferred(env, w->promise, value);
  napi_delete_reference(env, w->owner);
  napi_delete_async_work(env, w->work);
  free(w);
}

/* gpuSyncAsync(device) -> promise */
napi_value quern_gpu_sync_async(napi_env env, napi_callback_info info) {
  napi_value args[1], promise, name;
  quern_gpu_handle *h = quern_args(env, info, 1, args) ? quern_arg_gpu(env, args[0]) : NULL;
  if (!h) return NULL;
  waiting *w = calloc(1, sizeof *w);
  if (!w) return quern_throw_status(env, QUERN_E_MEMORY, "wait");
  w->device = h;
  w->error = (quern_gpu_error){QUERN_GPU_FAILED, w->text};
  if (napi_create_reference(env, args[0], 1, &w->owner) != napi_ok) return free(w), NULL;
  if (napi_create_promise(env, &w->promise, &promise) != napi_ok || napi_create_string_utf8(env, "quern:gpuSync", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, wait_for, waited, w, &w->work) != napi_ok || napi_queue_async_work(env, w->work) != napi_ok) {
    napi_delete_reference(env, w->owner);
    free(w);
    return quern_throw(env, "QUERN_E_INTERNAL", "could not wait");
  }
  return promise;
}
