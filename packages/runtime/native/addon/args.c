#include "args.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const napi_type_tag tags[] = {
    {0x9f1c5a0be2d84c31, 0x8a6d3b1f70c24e01},
    {0x9f1c5a0be2d84c31, 0x8a6d3b1f70c24e02},
    {0x9f1c5a0be2d84c31, 0x8a6d3b1f70c24e03},
    {0x9f1c5a0be2d84c31, 0x8a6d3b1f70c24e04},
    {0x9f1c5a0be2d84c31, 0x8a6d3b1f70c24e05},
    {0x9f1c5a0be2d84c31, 0x8a6d3b1f70c24e06},
    {0x9f1c5a0be2d84c31, 0x8a6d3b1f70c24e07},
};
static const char *const handle_names[] = {"library", "kernel", "memory", "plan", "device", "device buffer", "device module"};

napi_value quern_throw(napi_env env, const char *code, const char *format, ...) {
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  napi_throw_error(env, code, text);
  return NULL;
}

napi_value quern_throw_status(napi_env env, quern_status status, const char *what) {
  switch (status) {
  case QUERN_E_MEMORY: return quern_throw(env, "QUERN_E_MEMORY", "%s: not enough memory", what);
  case QUERN_E_IO: return quern_throw(env, "QUERN_E_IO", "%s: %s", what, strerror(errno));
  case QUERN_E_LOAD: return quern_throw(env, "QUERN_E_LOAD", "%s", what);
  case QUERN_E_ABI: return quern_throw(env, "QUERN_E_ABI", "%s", what);
  case QUERN_E_TABLE: return quern_throw(env, "QUERN_E_TABLE", "%s", what);
  case QUERN_E_NOT_FOUND: return quern_throw(env, "QUERN_E_NOT_FOUND", "no kernel '%s' in this library", what);
  case QUERN_E_ISA: return quern_throw(env, "QUERN_E_ISA", "kernel '%s' exists, but not for an instruction set of this CPU", what);
  case QUERN_E_CANCELLED: return quern_throw(env, "QUERN_E_CANCELLED", "%s: cancelled", what);
  default: return quern_throw(env, "QUERN_E_INTERNAL", "%s: status %d", what, (int)status);
  }
}

int quern_args(napi_env env, napi_callback_info info, size_t count, napi_value *args) {
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, args, NULL, NULL) != napi_ok) return 0;
  if (given >= count) return 1;
  quern_throw(env, "QUERN_E_ARGUMENT", "expected %zu arguments, got %zu", count, given);
  return 0;
}

napi_value quern_wrap(napi_env env, quern_handle kind, void *object, napi_finalize finalize) {
  napi_value value;
  if (napi_create_external(env, object, finalize, NULL, &value) != napi_ok) {
    finalize(env, object, NULL);
    return quern_throw(env, "QUERN_E_MEMORY", "could not make a %s handle", handle_names[kind]);
  }
  if (napi_type_tag_object(env, value, &tags[kind]) != napi_ok)
    return quern_throw(env, "QUERN_E_INTERNAL", "could not tag a %s handle", handle_names[kind]);
  return value;
}

int quern_arg_handle(napi_env env, napi_value value, quern_handle kind, void **object) {
  napi_valuetype type;
  bool tagged = false;
  if (napi_typeof(env, value, &type) == napi_ok && type == napi_external &&
      napi_check_object_type_tag(env, value, &tags[kind], &tagged) == napi_ok && tagged &&
      napi_get_value_external(env, value, object) == napi_ok)
    return 1;
  quern_throw(env, "QUERN_E_ARGUMENT", "expected a %s handle", handle_names[kind]);
  return 0;
}

int quern_arg_number(napi_env env, napi_value value, const char *what, double low, double high, double *number) {
  if (napi_get_value_double(env, value, number) == napi_ok && *number >= low && *number <= high && floor(*number) == *number)
    return 1;
  quern_throw(env, "QUERN_E_ARGUMENT", "%s must be an integer from %.0f to %.0f", what, low, high);
  return 0;
}

int quern_arg_count(napi_env env, napi_value value, const char *what, uint64_t *number) {
  double d;
  if (!quern_arg_number(env, value, what, 0, 9007199254740991.0, &d)) return 0;
  *number = (uint64_t)d;
  return 1;
}

int quern_arg_flag(napi_env env, napi_value value, const char *what, int *flag) {
  bool b;
  if (napi_get_value_bool(env, value, &b) == napi_ok) {
    *flag = b;
    return 1;
  }
  quern_throw(env, "QUERN_E_ARGUMENT", "%s must be true or false", what);
  return 0;
}

int quern_arg_text(napi_env env, napi_value value, const char *what, char *text, size_t size) {
  size_t length, copied;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    quern_throw(env, "QUERN_E_ARGUMENT", "%s must be a string", what);
    return 0;
  }
  if (length < size && napi_get_value_string_utf8(env, value, text, size, &copied) == napi_ok && strlen(text) == length) return 1;
  quern_throw(env, "QUERN_E_ARGUMENT", "%s must be shorter than %zu bytes and hold no zero byte", what, size);
  return 0;
}

static int not_detached(napi_env env, napi_value buffer, const char *what) {
  bool detached = false;
  /* Not an ArrayBuffer: a SharedArrayBuffer, which cannot be detached. */
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || !detached) return 1;
  quern_throw(env, "QUERN_E_DETACHED", "%s: its ArrayBuffer has been detached", what);
  return 0;
}

static size_t element_bytes(napi_typedarray_type type) {
  switch (type) {
  case napi_int16_array: case napi_uint16_array: return 2;
  case napi_int32_array: case napi_uint32_array: case napi_float32_array: return 4;
  case napi_float64_array: case napi_bigint64_array: case napi_biguint64_array: return 8;
  default: return 1;
  }
}

quern_memory *quern_arg_memory(napi_env env, napi_value value, const char *what) {
  void *object;
  if (!quern_arg_handle(env, value, QUERN_HANDLE_MEMORY, &object)) return NULL;
  quern_memory_handle *handle = object;
  if (!handle->memory) quern_throw(env, "QUERN_E_CLOSED", "%s: this memory has been freed", what);
  return handle->memory;
}

int quern_arg_bytes(napi_env env, napi_value value, const char *what, quern_bytes *bytes) {
  napi_valuetype kind;
  memset(bytes, 0, sizeof *bytes);
  if (napi_typeof(env, value, &kind) == napi_ok && kind == napi_external) {
    bytes->memory = quern_arg_memory(env, value, what);
    if (!bytes->memory) return 0;
    bytes->data = bytes->memory->data;
    bytes->length = bytes->memory->bytes;
    bytes->owner = value;
    return 1;
  }
  bool is = false;
  void *data = NULL;
  size_t length = 0;
  bytes->owner = value;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is) {
    napi_typedarray_type type;
    napi_value buffer;
    if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, NULL) != napi_ok) {
      quern_throw(env, "QUERN_E_ARGUMENT", "%s: an unreadable typed array", what);
      return 0;
    }
    if (!not_detached(env, buffer, what)) return 0;
    bytes->data = data;
    bytes->length = length * element_bytes(type);
    return 1;
  }
  if (napi_is_arraybuffer(env, value, &is) == napi_ok && is) {
    if (!not_detached(env, value, what) || napi_get_arraybuffer_info(env, value, &data, &length) != napi_ok) return 0;
    bytes->data = data;
    bytes->length = length;
    return 1;
  }
  quern_throw(env, "QUERN_E_ARGUMENT", "%s must be a typed array, an ArrayBuffer or a memory handle", what);
  return 0;
}

int quern_arg_int64s(napi_env env, napi_value value, const char *what, uint64_t length, int64_t **data) {
  bool is = false;
  napi_typedarray_type type = napi_int8_array;
  size_t have = 0;
  void *at = NULL;
  if (napi_is_typedarray(env, value, &is) == napi_ok && is &&
      napi_get_typedarray_info(env, value, &type, &have, &at, NULL, NULL) == napi_ok && type == napi_bigint64_array && have == length) {
    *data = at;
    return 1;
  }
  quern_throw(env, "QUERN_E_ARGUMENT", "%s must be a BigInt64Array of length %llu", what, (unsigned long long)length);
  return 0;
}

int quern_arg_operand(napi_env env, napi_value buffer, const double range[4], int32_t index, quern_operand *operand) {
  char what[32];
  snprintf(what, sizeof what, "buffer %d", (int)index);
  if (!quern_arg_bytes(env, buffer, what, &operand->bytes)) return 0;
  double start = range[0], low = range[1], high = range[2];
  /* Written so that a NaN fails. */
  if (!(low >= 0 && low <= start && start <= high && high <= (double)operand->bytes.length) || floor(start) != start) {
    quern_throw(env, "QUERN_E_RANGE", "%s: bytes [%.0f, %.0f) with element 0 at %.0f do not lie within its %llu bytes", what, low,
                high, start, (unsigned long long)operand->bytes.length);
    return 0;
  }
  if (range[3] != 0 && operand->bytes.memory && operand->bytes.memory->kind == QUERN_FILE) {
    quern_throw(env, "QUERN_E_READONLY", "%s would be written, but it is a file mapped for reading", what);
    return 0;
  }
  operand->start = operand->bytes.data ? operand->bytes.data + (uint64_t)start : NULL;
  return 1;
}

int quern_arg_launch(napi_env env, napi_value kernel, napi_value buffers, napi_value ranges, napi_value sizes,
                     napi_value scalars, quern_kernel_handle **handle, quern_operand *operands, int64_t **size,
                     quern_scalar **scalar) {
  void *object, *data = NULL;
  if (!quern_arg_handle(env, kernel, QUERN_HANDLE_KERNEL, &object)) return 0;
  *handle = object;
  const quern_entry *e = (*handle)->entry;
  if (atomic_load(&(*handle)->lib->closed)) {
    quern_throw(env, "QUERN_E_CLOSED", "kernel '%s': its library has been closed", e->name);
    return 0;
  }
  uint32_t count = 0;
  bool is = false;
  if (napi_is_array(env, buffers, &is) != napi_ok || !is || napi_get_array_length(env, buffers, &count) != napi_ok ||
      count != (uint32_t)e->nbuf || count > QUERN_MAX_BUFFERS) {
    quern_throw(env, "QUERN_E_ARGUMENT", "kernel '%s' takes an array of %d buffers, got %u", e->name, (int)e->nbuf, (unsigned)count);
    return 0;
  }
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  if (napi_is_typedarray(env, ranges, &is) != napi_ok || !is ||
      napi_get_typedarray_info(env, ranges, &type, &length, &data, NULL, NULL) != napi_ok || type != napi_float64_array ||
      length != (size_t)count * 4) {
    quern_throw(env, "QUERN_E_ARGUMENT", "kernel '%s': ranges must be a Float64Array of 4 numbers per buffer", e->name);
    return 0;
  }
  const double *range = data;
  for (uint32_t i = 0; i < count; i++) {
    napi_value buffer;
    if (napi_get_element(env, buffers, i, &buffer) != napi_ok) return 0;
    if (!quern_arg_operand(env, buffer, range + 4 * i, (int32_t)i, &operands[i])) return 0;
  }
  if (!quern_arg_int64s(env, sizes, "sizes", (uint64_t)e->nsize, size)) return 0;
  return quern_arg_int64s(env, scalars, "scalars", (uint64_t)e->nscalar, (int64_t **)scalar);
}

int quern_set_number(napi_env env, napi_value object, const char *key, double number) {
  napi_value value;
  return napi_create_double(env, number, &value) == napi_ok && napi_set_named_property(env, object, key, value) == napi_ok;
}

int quern_set_text(napi_env env, napi_value object, const char *key, const char *text) {
  napi_value value;
  return napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value) == napi_ok &&
         napi_set_named_property(env, object, key, value) == napi_ok;
}

int quern_export_all(napi_env env, napi_value exports, const quern_export *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value f;
    if (napi_create_function(env, list[i].name, NAPI_AUTO_LENGTH, list[i].call, NULL, &f) != napi_ok) return 0;
    if (napi_set_named_property(env, exports, list[i].name, f) != napi_ok) return 0;
  }
  return 1;
}
