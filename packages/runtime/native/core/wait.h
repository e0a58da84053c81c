/* Sleep until a 32-bit word changes: futex on Linux, a process-wide mutex and condition elsewhere. */
#ifndef QUERN_WAIT_H
#define QUERN_WAIT_H

#include <stdatomic.h>
#include <stdint.h>

/* Returns when *word != expected was seen, when woken, or for no reason at all: callers look again. */
void quern_wait(_Atomic uint32_t *word, uint32_t expected);
/* Wakes every sleeper on word. The caller has changed *word before. */
void quern_wake(_Atomic uint32_t *word);
/* A hint to the core that this thread is spinning. */
void quern_relax(void);
/* Monotonic nanoseconds. */
int64_t quern_now(void);
/* In the child of a fork: forget the threads that no longer exist. */
void quern_wait_after_fork(void);

#endif
