/* What the CPU can do, by feature bits and by what the operating system saves; never by family or name. */
#ifndef QUERN_CPU_H
#define QUERN_CPU_H

#include <stdint.h>

#define QUERN_MAX_ISAS 8

typedef struct quern_cpu {
  char brand[64];
  char arch[16];           /* "x64", "arm64", ... */
  char features[512];      /* names parted by spaces */
  const char *isas[QUERN_MAX_ISAS]; /* the instruction sets of quern.h that run here, best first */
  int32_t isa_count;
  char isa_cap[32];        /* QUERN_ISA, or "" */
  int32_t isa_cap_known;   /* 0 when QUERN_ISA names no instruction set; it is ignored then */
  int64_t l1d, l2, l3;     /* bytes as one core sees them, 0 when unknown */
} quern_cpu;

const quern_cpu *quern_cpu_get(void);
/* The place of an isa in quern_cpu.isas, or -1. */
int32_t quern_cpu_rank(const char *isa);

#endif
