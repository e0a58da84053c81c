#include "wait.h"

#include <time.h>

#if defined(__linux__)

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void quern_wait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, (uint32_t *)word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void quern_wake(_Atomic uint32_t *word) {
  syscall(SYS_futex, (uint32_t *)word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void quern_wait_after_fork(void) {}

#else

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void quern_wait(_Atomic uint32_t *word, uint32_t expected) {
  pthread_mutex_lock(&lock);
  if (atomic_load(word) == expected) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

void quern_wake(_Atomic uint32_t *word) {
  (void)word;
  pthread_mutex_lock(&lock);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

void quern_wait_after_fork(void) {
  static const pthread_mutex_t fresh_lock = PTHREAD_MUTEX_INITIALIZER;
  static const pthread_cond_t fresh_changed = PTHREAD_COND_INITIALIZER;
  lock = fresh_lock;
  changed = fresh_changed;
}

#endif

void quern_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

int64_t quern_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
