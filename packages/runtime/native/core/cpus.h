/* How many CPUs this process may really use. */
#ifndef QUERN_CPUS_H
#define QUERN_CPUS_H

#include <stdint.h>

/* CPUs of the affinity mask, cut to the cgroup's quota (rounded up); at least 1. */
int32_t quern_cpus(void);

#endif
