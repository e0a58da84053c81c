// The speed of memcpy over arrays far beyond the caches, on one or more threads: the limit of what reads and writes as much.
//   copy THREADS BYTES ROUNDS   -> for each line read, the bytes moved (read + written) a second in the best of ROUNDS rounds
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { char *to; const char *from; size_t n; pthread_barrier_t *gate; int rounds; } Job;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *work(void *p) {
  Job *j = p;
  for (int r = 0; r < j->rounds; r++) {
    pthread_barrier_wait(j->gate);
    memcpy(j->to, j->from, j->n);
    pthread_barrier_wait(j->gate);
  }
  return 0;
}

int main(int argc, char **argv) {
  const int threads = argc > 1 ? atoi(argv[1]) : 1, rounds = argc > 3 ? atoi(argv[3]) : 5;
  const size_t bytes = argc > 2 ? strtoull(argv[2], 0, 10) : (size_t)256 << 20, part = bytes / (size_t)threads;
  char *from = malloc(bytes), *to = malloc(bytes);
  memset(from, 1, bytes);
  memset(to, 2, bytes);
  int c;
  while ((c = getchar()) != EOF) {
    if (c != '\n') continue;
    pthread_barrier_t gate;
    pthread_barrier_init(&gate, 0, (unsigned)threads + 1);
    pthread_t id[64];
    Job job[64];
    for (int t = 0; t < threads; t++) {
      job[t] = (Job){to + part * (size_t)t, from + part * (size_t)t, part, &gate, rounds};
      pthread_create(&id[t], 0, work, &job[t]);
    }
    double best = 1e9;
    for (int r = 0; r < rounds; r++) {
      // The time of the gate counts: a worker may be through before this thread is woken again.
      const double start = now();
      pthread_barrier_wait(&gate);
      pthread_barrier_wait(&gate);
      const double took = now() - start;
      if (took < best) best = took;
    }
    for (int t = 0; t < threads; t++) pthread_join(id[t], 0);
    pthread_barrier_destroy(&gate);
    printf("%.0f\n", 2.0 * (double)bytes / best);
    fflush(stdout);
  }
  return 0;
}
