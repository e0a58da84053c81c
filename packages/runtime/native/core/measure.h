/* The machine's own limits, measured: what a kernel's figures are compared with. */
#ifndef QUERN_MEASURE_H
#define QUERN_MEASURE_H

#include "status.h"

#include <stdint.h>

/* Bytes per second at which `threads` threads read `bytes` bytes of memory: the best of `rounds` passes. */
quern_status quern_measure_read(int32_t threads, int64_t bytes, int32_t rounds, double *bytes_per_second);
/* Floating-point operations per second of fused multiply-adds that need no memory: the best of `rounds`.
 * 0 when this CPU has no vector multiply-add that is known here. */
quern_status quern_measure_fma(int32_t threads, int f64, int32_t rounds, double *flops_per_second);

#endif
