/* FFTW in turns with another program: `fftw f32|f64 n batch`. It plans (FFTW_PATIENT while that is quick, FFTW_MEASURE above), says which codelets
 * it chose, and then for each line "reps" on its input runs that often and answers with the seconds of one run. */
#include <fftw3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define PROGRAM(NAME, F)                                                                                                       \
  static void NAME(int n, int batch) {                                                                                         \
    size_t count = (size_t)n * (size_t)batch;                                                                                  \
    F##complex *x = F##malloc(sizeof *x * count), *y = F##malloc(sizeof *y * count);                                           \
    unsigned effort = count <= 1 << 16 ? FFTW_PATIENT : FFTW_MEASURE;                                                          \
    F##plan p = F##plan_many_dft(1, &n, batch, x, NULL, 1, n, y, NULL, 1, n, FFTW_FORWARD, effort);                            \
    for (size_t i = 0; i < count; i++) x[i][0] = rand() / (double)RAND_MAX - 0.5, x[i][1] = rand() / (double)RAND_MAX - 0.5;   \
    char *text = F##sprint_plan(p);                                                                                            \
    for (char *c = text; *c; c++) if (*c == '\n') *c = ' ';                                                                    \
    printf("%s\n", text);                                                                                                      \
    fflush(stdout);                                                                                                            \
    for (char line[64]; fgets(line, sizeof line, stdin);) {                                                                    \
      long reps = atol(line);                                                                                                  \
      double t = now();                                                                                                        \
      for (long i = 0; i < reps; i++) F##execute(p);                                                                           \
      printf("%.9g\n", (now() - t) / (double)reps);                                                                            \
      fflush(stdout);                                                                                                          \
    }                                                                                                                          \
  }
PROGRAM(run_f32, fftwf_)
PROGRAM(run_f64, fftw_)

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  (strcmp(argv[1], "f32") ? run_f64 : run_f32)(atoi(argv[2]), atoi(argv[3]));
  return 0;
}
