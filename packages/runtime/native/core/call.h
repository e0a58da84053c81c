/* One call of one kernel: lends it threads and scratch memory. */
#ifndef QUERN_CALL_H
#define QUERN_CALL_H

#include "../include/quern.h"
#include "status.h"

/* threads: 0 for the pool's limit. With QUERN_E_ASSUMPTION, *violated is the kernel's answer. */
quern_status quern_call(const quern_entry *entry, void *const *buf, const int64_t *size, const quern_scalar *scalar,
                        int32_t threads, int32_t *violated);

#endif
