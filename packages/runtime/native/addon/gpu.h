/* GPU handles, as JavaScript holds them. */
#ifndef QUERN_ADDON_GPU_H
#define QUERN_ADDON_GPU_H

#include "../core/gpu.h"
#include "args.h"

typedef struct quern_gpu_handle {
  const quern_gpu_driver *driver;
  quern_gpu_device *device;
  quern_gpu_error error;
  char text[QUERN_GPU_LOG];
} quern_gpu_handle;

/* Its owner's reference, given up by gpuFree before the handle is collected: NULL from then on. */
typedef struct quern_gpu_buffer_handle {
  const quern_gpu_driver *driver;
  quern_gpu_buffer *buffer;
  uint64_t bytes;
} quern_gpu_buffer_handle;

typedef struct quern_gpu_module_handle {
  const quern_gpu_driver *driver;
  quern_gpu_module *module;
  int32_t functions; /* how many were looked up */
} quern_gpu_module_handle;

/* Throws what a driver left in an error. */
napi_value quern_throw_gpu(napi_env env, const quern_gpu_error *e);
quern_gpu_handle *quern_arg_gpu(napi_env env, napi_value value);
quern_gpu_buffer_handle *quern_arg_gpu_buffer(napi_env env, napi_value value);
quern_gpu_module_handle *quern_arg_gpu_module(napi_env env, napi_value value);
/* Numbers of a Float64Array of exactly `count`. */
int quern_arg_numbers(napi_env env, napi_value value, const char *what, size_t count, const double **data);

/* In gpu_launch.c. */
napi_value quern_gpu_launch_call(napi_env env, napi_callback_info info);
napi_value quern_gpu_tensor_map_call(napi_env env, napi_callback_info info);
napi_value quern_gpu_sync_async(napi_env env, napi_callback_info info);

#endif
