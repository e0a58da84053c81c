/* NVRTC, loaded when it is first asked for. Declared here are the parts of its ABI that are used; it keeps them stable. */
#include "nvrtc.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define NVRTC(X)                                                                                                        \
  X(int, Version, nvrtcVersion, (int *, int *))                                                                         \
  X(int, CreateProgram, nvrtcCreateProgram, (void **, const char *, const char *, int, const char *const *, const char *const *)) \
  X(int, CompileProgram, nvrtcCompileProgram, (void *, int, const char *const *))                                       \
  X(int, GetProgramLogSize, nvrtcGetProgramLogSize, (void *, size_t *))                                                 \
  X(int, GetProgramLog, nvrtcGetProgramLog, (void *, char *))                                                           \
  X(int, GetCUBINSize, nvrtcGetCUBINSize, (void *, size_t *))                                                           \
  X(int, GetCUBIN, nvrtcGetCUBIN, (void *, char *))                                                                     \
  X(int, DestroyProgram, nvrtcDestroyProgram, (void **))                                                                \
  X(const char *, GetErrorString, nvrtcGetErrorString, (int))

#define FIELD(result, name, symbol, parameters) result(*name) parameters;
static struct { NVRTC(FIELD) } rtc;

static int load(quern_gpu_error *e) {
  static const char *const names[] = {
      "libnvrtc.so.13", "libnvrtc.so.12", "/usr/local/cuda/lib64/libnvrtc.so.1*", "/usr/local/cuda-*/lib64/libnvrtc.so.1*", "/opt/cuda/lib64/libnvrtc.so.1*",
      "/usr/local/cuda/targets/*/lib/libnvrtc.so.1*", "/usr/lib/x86_64-linux-gnu/libnvrtc.so.1*", "/usr/local/lib/python3*/site-packages/nvidia/*/lib/libnvrtc.so.1*",
      "/usr/local/lib/python3*/dist-packages/nvidia/*/lib/libnvrtc.so.1*", NULL};
  void *library = quern_gpu_dlopen("QUERN_NVRTC_LIBRARY", names, e);
  if (!library) return quern_gpu_fail(e, QUERN_GPU_COMPILE, "NVRTC, NVIDIA's compiler library, is not on this machine (libnvrtc.so.12 or .13 of the CUDA toolkit; QUERN_NVRTC_LIBRARY may name the file)");
  const char *missing = NULL;
#define SYMBOL(result, name, symbol, parameters) if (!(*(void **)&rtc.name = dlsym(library, #symbol)) && !missing) missing = #symbol;
  NVRTC(SYMBOL)
  return missing ? quern_gpu_fail(e, QUERN_GPU_COMPILE, "NVRTC is too old: it has no %s", missing) : 0;
}

static int ready(quern_gpu_error *e) {
  static quern_gpu_once once = QUERN_GPU_ONCE;
  return quern_gpu_load_once(&once, load, e);
}

int quern_nvrtc_version(int *major, int *minor, quern_gpu_error *e) {
  if (ready(e)) return -1;
  rtc.Version(major, minor);
  return 0;
}

/* Without what emitted text never uses (textures, launches from kernels), and on several threads: both saved time on NVRTC 13.0. NVRTC 12 need not know them. */
static const char *const QUICKER[] = {"--minimal", "--split-compile=0"};
enum { QUICKERS = sizeof QUICKER / sizeof *QUICKER, MOST_FLAGS = 64 };

void *quern_nvrtc_compile(const char *source, int flagc, const char *const *flags, uint64_t *bytes, quern_gpu_error *e) {
  void *program = NULL, *binary = NULL;
  const char *all[MOST_FLAGS];
  size_t size = 0;
  int major = 0, minor = 0;
  if (ready(e)) return NULL;
  if (flagc > MOST_FLAGS - QUICKERS) return quern_gpu_fail(e, QUERN_GPU_COMPILE, "%d flags for NVRTC, at most %d are taken", flagc, MOST_FLAGS - QUICKERS), NULL;
  for (int i = 0; i < flagc; i++) all[i] = flags[i];
  rtc.Version(&major, &minor);
  if (major >= 13) for (int i = 0; i < QUICKERS; i++) all[flagc++] = QUICKER[i];
  int code = rtc.CreateProgram(&program, source, "kernel.cu", 0, NULL, NULL);
  if (code) return quern_gpu_fail(e, QUERN_GPU_COMPILE, "nvrtcCreateProgram: %s", rtc.GetErrorString(code)), NULL;
  code = rtc.CompileProgram(program, flagc, all);
  e->text[0] = 0;
  if (rtc.GetProgramLogSize(program, &size) == 0 && size > 1) {
    char *log = malloc(size);
    if (log && rtc.GetProgramLog(program, log) == 0) snprintf(e->text, QUERN_GPU_LOG, "%s", log);
    free(log);
  }
  if (code) {
    e->code = QUERN_GPU_COMPILE;
    if (!e->text[0]) quern_gpu_fail(e, QUERN_GPU_COMPILE, "NVRTC: %s", rtc.GetErrorString(code));
  } else if (rtc.GetCUBINSize(program, &size) || size == 0 || !(binary = malloc(size)) || rtc.GetCUBIN(program, binary)) {
    free(binary);
    binary = NULL;
    quern_gpu_fail(e, QUERN_GPU_COMPILE, "NVRTC gave no machine code: the flags must name an architecture such as --gpu-architecture=sm_80");
  }
  rtc.DestroyProgram(&program);
  *bytes = size;
  return binary;
}
