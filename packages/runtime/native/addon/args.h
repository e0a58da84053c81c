/* What the addon's functions share: reading arguments, handles, and errors with codes. Every reader throws a JavaScript
 * error and returns 0 when the value is not what was asked for. */
#ifndef QUERN_ARGS_H
#define QUERN_ARGS_H

#include "../core/library.h"
#include "../core/memory.h"

#include <node_api.h>

#define QUERN_MAX_BUFFERS 64

/* Objects of native code that JavaScript holds as tagged externals. */
typedef enum quern_handle {
  QUERN_HANDLE_LIBRARY, QUERN_HANDLE_KERNEL, QUERN_HANDLE_MEMORY, QUERN_HANDLE_PLAN, QUERN_HANDLE_GPU, QUERN_HANDLE_GPU_BUFFER, QUERN_HANDLE_GPU_MODULE
} quern_handle;

typedef struct quern_kernel_handle {
  quern_lib *lib;
  const quern_entry *entry;
} quern_kernel_handle;

/* Its owner's reference, given up by memoryFree before the handle is collected: NULL from then on. */
typedef struct quern_memory_handle {
  quern_memory *memory;
} quern_memory_handle;

/* Bytes that a JavaScript value stands for. */
typedef struct quern_bytes {
  unsigned char *data;
  uint64_t length;
  quern_memory *memory; /* when the value is a memory handle, else NULL */
  napi_value owner;     /* else the object that keeps the bytes alive */
} quern_bytes;

/* One tensor operand: where element 0 is, and what may be touched. */
typedef struct quern_operand {
  quern_bytes bytes;
  void *start;
} quern_operand;

int quern_args(napi_env env, napi_callback_info info, size_t count, napi_value *args);
napi_value quern_throw(napi_env env, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));
napi_value quern_throw_status(napi_env env, quern_status status, const char *what);

napi_value quern_wrap(napi_env env, quern_handle kind, void *object, napi_finalize finalize);
int quern_arg_handle(napi_env env, napi_value value, quern_handle kind, void **object);
int quern_arg_number(napi_env env, napi_value value, const char *what, double low, double high, double *number);
int quern_arg_count(napi_env env, napi_value value, const char *what, uint64_t *number);
int quern_arg_flag(napi_env env, napi_value value, const char *what, int *flag);
/* A string of at most size - 1 bytes without zero bytes. */
int quern_arg_text(napi_env env, napi_value value, const char *what, char *text, size_t size);
/* The memory behind a handle that has not been freed, or NULL with an exception. */
quern_memory *quern_arg_memory(napi_env env, napi_value value, const char *what);
int quern_arg_bytes(napi_env env, napi_value value, const char *what, quern_bytes *bytes);
/* BigInt64Array of exactly `length` elements. */
int quern_arg_int64s(napi_env env, napi_value value, const char *what, uint64_t length, int64_t **data);

/* Operand `index`: the bytes of `buffer`, with range = {start, low, high, writes}: byte offsets into it, where
 * [low, high) is everything that the kernel may touch. */
int quern_arg_operand(napi_env env, napi_value buffer, const double range[4], int32_t index, quern_operand *operand);
/* The arguments of one launch, checked against the kernel's entry; operands has QUERN_MAX_BUFFERS places. */
int quern_arg_launch(napi_env env, napi_value kernel, napi_value buffers, napi_value ranges, napi_value sizes,
                     napi_value scalars, quern_kernel_handle **handle, quern_operand *operands, int64_t **size,
                     quern_scalar **scalar);

int quern_set_number(napi_env env, napi_value object, const char *key, double number);
int quern_set_text(napi_env env, napi_value object, const char *key, const char *text);

/* The functions of each file, added to `exports`. */
typedef struct quern_export {
  const char *name;
  napi_callback call;
} quern_export;
int quern_export_all(napi_env env, napi_value exports, const quern_export *list, size_t count);
int quern_export_info(napi_env env, napi_value exports);
int quern_export_kernels(napi_env env, napi_value exports);
int quern_export_memories(napi_env env, napi_value exports);
int quern_export_plans(napi_env env, napi_value exports);
int quern_export_gpu(napi_env env, napi_value exports);

#endif
