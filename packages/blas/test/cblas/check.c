// Checks cblas_sgemm and cblas_dgemm of libquern_blas as a C program uses them. Every operand ends where a page begins that nobody
// may touch, or begins where one ends; what lies between rows or columns must keep its bits. Prints what is wrong; exit status 0 when
// nothing is.
#include "quern_blas.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int failures, checks;
static void expect(int ok, const char *format, ...) {
  checks++;
  if (ok) return;
  if (failures++ > 20) exit(1);
  va_list args;
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  printf("\n");
}

// ---- memory between two pages that must not be touched ----

typedef struct guarded { unsigned char *base; size_t bytes; void *data; } guarded;

static guarded guard(size_t bytes, int at_end) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), inner = (bytes + page - 1) / page * page + page;
  unsigned char *base = mmap(NULL, inner + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) { perror("mmap"); exit(2); }
  mprotect(base, page, PROT_NONE);
  mprotect(base + page + inner, page, PROT_NONE);
  return (guarded){base, inner + 2 * page, at_end ? base + page + inner - bytes : base + page};
}
static void drop(guarded g) { munmap(g.base, g.bytes); }

// ---- one product ----

static uint32_t seed = 1;
static double number(void) {
  seed = seed * 1664525u + 1013904223u;
  return (double)(int32_t)seed / 2147483648.0;
}

typedef struct matrix { guarded g; int f64, rows, cols, ld; } matrix; // column-major, as stored; rows <= ld

static const double CANARY = 12345.5;
static double get(const matrix *m, size_t i) { return m->f64 ? ((double *)m->g.data)[i] : (double)((float *)m->g.data)[i]; }
static void put(const matrix *m, size_t i, double x) {
  if (m->f64) ((double *)m->g.data)[i] = x;
  else ((float *)m->g.data)[i] = (float)x;
}
static size_t count_of(const matrix *m) { return m->cols > 0 && m->rows > 0 ? (size_t)m->ld * (size_t)(m->cols - 1) + (size_t)m->rows : 0; }

static matrix make(int f64, int rows, int cols, int ld, int at_end) {
  matrix m = {.f64 = f64, .rows = rows, .cols = cols, .ld = ld};
  m.g = guard(count_of(&m) * (f64 ? 8 : 4), at_end);
  for (size_t i = 0; i < count_of(&m); i++) put(&m, i, (int)(i % (size_t)ld) < rows ? number() : CANARY);
  return m;
}

static void call(int f64, int order, int ta, int tb, int m, int n, int k, double alpha, const matrix *a, const matrix *b, double beta, const matrix *c) {
  if (f64) cblas_dgemm(order, ta, tb, m, n, k, alpha, a->g.data, a->ld, b->g.data, b->ld, beta, c->g.data, c->ld);
  else cblas_sgemm(order, ta, tb, m, n, k, (float)alpha, a->g.data, a->ld, b->g.data, b->ld, (float)beta, c->g.data, c->ld);
}

// Element (i, j) of op(X) for a matrix that is stored by columns or, row-major, as its transpose.
static double element(const matrix *x, int by_rows, int transposed, int i, int j) {
  return by_rows != transposed ? get(x, (size_t)i * (size_t)x->ld + (size_t)j) : get(x, (size_t)j * (size_t)x->ld + (size_t)i);
}

static void product(int f64, int order, int ta, int tb, int m, int n, int k, double alpha, double beta, int pad, int at_end) {
  const int by_rows = order == CblasRowMajor, at = ta != CblasNoTrans, bt = tb != CblasNoTrans;
  // What is stored by columns: op undone, and for row-major the other way round.
  const int a_rows = by_rows != at ? k : m, a_cols = by_rows != at ? m : k, b_rows = by_rows != bt ? n : k, b_cols = by_rows != bt ? k : n;
  const int c_rows = by_rows ? n : m, c_cols = by_rows ? m : n;
  matrix a = make(f64, a_rows, a_cols, (a_rows > 1 ? a_rows : 1) + pad, at_end), b = make(f64, b_rows, b_cols, (b_rows > 1 ? b_rows : 1) + 2 * pad, at_end);
  matrix c = make(f64, c_rows, c_cols, (c_rows > 1 ? c_rows : 1) + 3 * pad, at_end), before = make(f64, c_rows, c_cols, c.ld, at_end);
  if (beta == 0) for (size_t i = 0; i < count_of(&c); i++) if ((int)(i % (size_t)c.ld) < c.rows) put(&c, i, NAN);
  memcpy(before.g.data, c.g.data, count_of(&c) * (f64 ? 8 : 4));
  call(f64, order, ta, tb, m, n, k, alpha, &a, &b, beta, &c);

  const long double u = f64 ? 0x1p-53L : 0x1p-24L, gamma = (long double)(k + 4) * u / (1 - (long double)(k + 4) * u);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      long double sum = 0, size = 0;
      for (int p = 0; p < k; p++) {
        const long double x = (long double)element(&a, by_rows, at, i, p) * element(&b, by_rows, bt, p, j);
        sum += x, size += fabsl(x);
      }
      const long double old = beta == 0 ? 0 : element(&before, by_rows, 0, i, j);
      const long double want = alpha * sum + beta * old, allowed = gamma * (fabsl(alpha) * size + fabsl(beta * old)), got = element(&c, by_rows, 0, i, j);
      expect(fabsl(got - want) <= allowed, "%cgemm order %d, %d %d, %d x %d x %d, ld + %d, alpha %g, beta %g: C[%d,%d] = %.17Lg, want %.17Lg", "sd"[f64], order, ta, tb, m, n, k, pad, alpha, beta, i, j, got, want);
    }
  for (size_t i = 0; i < count_of(&c); i++)
    if ((int)(i % (size_t)c.ld) >= c.rows) expect(get(&c, i) == CANARY, "%cgemm %d x %d x %d wrote between the columns of C", "sd"[f64], m, n, k);
  drop(a.g), drop(b.g), drop(c.g), drop(before.g);
}

static void products(void) {
  static const int sizes[][3] = {{1, 1, 1}, {5, 7, 3}, {6, 32, 4}, {7, 65, 9}, {13, 33, 16}, {64, 17, 31}, {65, 66, 67}, {1, 40, 8}, {40, 1, 8}, {0, 3, 2}, {3, 0, 2}, {3, 4, 0}, {170, 3, 5}, {3, 5, 520}};
  static const int ops[] = {CblasNoTrans, CblasTrans, CblasConjTrans};
  int turn = 0;
  for (int f64 = 0; f64 < 2; f64++)
    for (int order = CblasRowMajor; order <= CblasColMajor; order++)
      for (int x = 0; x < 9; x++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++, turn++) {
          static const double factors[][2] = {{1, 0}, {1, 1}, {-0.5, 2}, {0, 0.5}, {2, 0}};
          const double *f = factors[turn % 5];
          product(f64, order, ops[x / 3], ops[x % 3], sizes[s][0], sizes[s][1], sizes[s][2], f[0], f[1], turn % 4, turn / 2 % 2);
        }
}

// ---- wrong arguments ----

static int position;
static char routine_seen[32];
void cblas_xerbla(int p, const char *routine, const char *format, ...) {
  (void)format;
  position = p;
  snprintf(routine_seen, sizeof routine_seen, "%s", routine);
}

static void wrong(int want, int order, int ta, int tb, int m, int n, int k, int lda, int ldb, int ldc) {
  double c = 42;
  float s = 42;
  position = -1;
  cblas_dgemm(order, ta, tb, m, n, k, 1, &c, lda, &c, ldb, 0, &c, ldc);
  expect(position == want && !strcmp(routine_seen, "cblas_dgemm"), "cblas_dgemm reported argument %d instead of %d", position, want);
  position = -1;
  cblas_sgemm(order, ta, tb, m, n, k, 1, &s, lda, &s, ldb, 0, &s, ldc);
  expect(position == want && !strcmp(routine_seen, "cblas_sgemm"), "cblas_sgemm reported argument %d instead of %d", position, want);
  expect(c == 42 && s == 42, "a refused call wrote C");
}

static void wrong_arguments(void) {
  const int N = CblasNoTrans, T = CblasTrans, col = CblasColMajor, row = CblasRowMajor;
  wrong(1, 0, N, N, 1, 1, 1, 1, 1, 1);
  wrong(2, col, 0, N, 1, 1, 1, 1, 1, 1);
  wrong(3, col, N, 0, 1, 1, 1, 1, 1, 1);
  wrong(4, col, N, N, -1, 1, 1, 1, 1, 1);
  wrong(5, col, N, N, 1, -1, 1, 1, 1, 1);
  wrong(6, col, N, N, 1, 1, -1, 1, 1, 1);
  wrong(9, col, N, N, 2, 1, 1, 1, 1, 2);
  wrong(9, col, T, N, 1, 1, 2, 1, 2, 1);
  wrong(11, col, N, N, 1, 1, 2, 1, 1, 1);
  wrong(11, col, N, T, 1, 2, 1, 1, 1, 1);
  wrong(14, col, N, N, 2, 1, 1, 2, 1, 1);
  wrong(9, col, N, N, 0, 0, 0, 0, 1, 1);
  // Row-major: positions of the column-major call that it becomes, in that call's order.
  wrong(5, row, N, N, -1, 1, 1, 1, 1, 1);
  wrong(4, row, N, N, 1, -1, 1, 1, 1, 1);
  wrong(4, row, N, N, -1, -1, -1, 0, 0, 0);
  wrong(6, row, N, N, 1, 1, -1, 1, 1, 1);
  wrong(11, row, N, N, 1, 1, 2, 1, 1, 1);
  wrong(11, row, T, N, 2, 1, 1, 1, 1, 1);
  wrong(9, row, N, N, 1, 2, 1, 1, 1, 2);
  wrong(9, row, N, T, 1, 1, 2, 2, 1, 1);
  wrong(14, row, N, N, 1, 2, 1, 1, 2, 1);
}

// ---- threads ----

static uint64_t hash_of(const double *x, size_t n) {
  uint64_t h = 0;
  for (size_t i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, x + i, 8);
    h = (h ^ bits) * UINT64_C(0x100000001b3);
  }
  return h;
}

static uint64_t big(int threads) {
  enum { N = 300 };
  static double a[N * N], b[N * N], c[N * N];
  seed = 7;
  for (int i = 0; i < N * N; i++) a[i] = number(), b[i] = number(), c[i] = number();
  quern_blas_set_num_threads(threads);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, N, N, N, 1.5, a, N, b, N, -1, c, N);
  return hash_of(c, N * N);
}

static void thread_counts(void) {
  const uint64_t one = big(1);
  for (int t = 2; t <= 4; t++) expect(big(t) == one, "%d threads give other bits than 1", t);
  const char *cap = getenv("QUERN_NUM_THREADS");
  quern_blas_set_num_threads(3);
  expect(quern_blas_get_num_threads() == (cap && atoi(cap) < 3 ? atoi(cap) : 3), "set_num_threads(3) gives %d", quern_blas_get_num_threads());
}

// A child has none of its parent's threads; both must go on computing.
static void forks(void) {
  const uint64_t want = big(3);
  fflush(stdout);
  for (int i = 0; i < 5; i++) {
    const pid_t child = fork();
    if (child == 0) _exit(big(3) == want ? 0 : 1);
    int status = -1;
    expect(big(2) == want, "the parent computes something else after a fork");
    expect(waitpid(child, &status, 0) == child && status == 0, "a forked child failed with status %d", status);
  }
}

int main(int argc, char **argv) {
  const char *isa = quern_blas_get_isa();
  if (argc > 1 && strcmp(argv[1], "any")) expect(!strcmp(isa, argv[1]), "the kernels in use are for %s, not for %s", isa, argv[1]);
  products();
  wrong_arguments();
  thread_counts();
  if (argc < 3) forks(); // a second argument leaves it out, for tools that do not follow children
  printf("%s: %d checks, %d failed\n", isa, checks, failures);
  return failures != 0;
}
