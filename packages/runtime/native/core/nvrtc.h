/* NVRTC, NVIDIA's compiler library: CUDA C++ to machine code. */
#ifndef QUERN_NVRTC_H
#define QUERN_NVRTC_H

#include "gpu.h"

/* The machine code of a source, malloc'd, or NULL; the log of a success is left in e->text. */
void *quern_nvrtc_compile(const char *source, int flagc, const char *const *flags, uint64_t *bytes, quern_gpu_error *e);
int quern_nvrtc_version(int *major, int *minor, quern_gpu_error *e);

#endif
