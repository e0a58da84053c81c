/* The least that a C test needs: a check that says where it failed and counts. */
#ifndef QUERN_TEST_CHECK_H
#define QUERN_TEST_CHECK_H

#include <stdio.h>

static int failures;

#define CHECK(condition)                                                     \
  do {                                                                       \
    if (!(condition)) {                                                      \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);        \
      failures++;                                                            \
    }                                                                        \
  } while (0)

/* The last line of main: the word the driver looks for. */
#define FINISH() (puts(failures ? "FAILED" : "passed"), failures != 0)

#endif
