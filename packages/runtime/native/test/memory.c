/* Memory, libraries and plans of the C core. Argument: the path of test/sample.c compiled as a library. */
#include "../core/cpu.h"
#include "../core/measure.h"
#include "../core/plan.h"
#include "../core/pool.h"
#include "check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void allocations(void) {
  static const uint64_t sizes[] = {0, 1, 63, 64, 65, 1 << 20, 4 << 20, (4 << 20) + 1, 9999999};
  for (int i = 0; i < 9; i++) {
    quern_memory *m;
    CHECK(quern_memory_alloc(sizes[i], &m) == QUERN_OK);
    CHECK((uintptr_t)m->data % 64 == 0 && m->bytes == sizes[i]);
    for (uint64_t k = 0; k < sizes[i]; k += 1 + sizes[i] / 7) CHECK(m->data[k] == 0);
    memset(m->data, 1, sizes[i]);
    quern_memory_retain(m);
    quern_memory_release(m);
    quern_memory_release(m);
  }
  quern_memory *m;
  CHECK(quern_memory_alloc(UINT64_MAX, &m) == QUERN_E_MEMORY);
  CHECK(quern_memory_alloc(UINT64_C(1) << 60, &m) == QUERN_E_MEMORY);
}

static void files(void) {
  char path[] = "/tmp/quern-test-XXXXXX";
  int fd = mkstemp(path);
  quern_memory *m;
  CHECK(quern_memory_map(path, &m) == QUERN_OK && m->bytes == 0);
  quern_memory_release(m);
  char page[10000];
  memset(page, 'q', sizeof page);
  CHECK(write(fd, page, sizeof page) == (ssize_t)sizeof page);
  CHECK(quern_memory_map(path, &m) == QUERN_OK && m->bytes == sizeof page && !memcmp(m->data, page, sizeof page));
  quern_memory_advise(m, 5000, 5000, QUERN_ADVICE_WILLNEED);
  CHECK(quern_memory_unprotect(m, 5000, 1) == QUERN_OK);
  m->data[5000] = 'x'; /* a private copy of the page */
  char back = 0;
  CHECK(pread(fd, &back, 1, 5000) == 1 && back == 'q');
  quern_memory_release(m);
  close(fd);
  unlink(path);
  CHECK(quern_memory_map(path, &m) == QUERN_E_IO && errno == ENOENT);
  CHECK(quern_memory_map("/tmp", &m) == QUERN_E_IO && errno == EISDIR);
}

static void libraries_and_plans(const char *path) {
  char why[256] = "";
  quern_lib *lib;
  const quern_entry *e = NULL;
  CHECK(quern_lib_open("/no/such/library.so", &lib, why, sizeof why) == QUERN_E_LOAD && why[0]);
  CHECK(quern_lib_open(path, &lib, why, sizeof why) == QUERN_OK);
  CHECK(quern_lib_find(lib, "nothing", NULL, &e) == QUERN_E_NOT_FOUND);
  CHECK(quern_lib_find(lib, "axpy", "s390x", &e) == QUERN_E_NOT_FOUND);
  CHECK(quern_lib_find(lib, "future", NULL, &e) == QUERN_E_ISA);
  CHECK(quern_lib_find(lib, "axpy", NULL, &e) == QUERN_OK && !strcmp(e->name, "axpy"));
  /* the best of those that the library has */
  CHECK(strcmp(e->isa, quern_cpu_rank("x86-64-v3") >= 0 ? "x86-64-v3" : quern_cpu_rank("x86-64") >= 0 ? "x86-64" : "generic") == 0);

  float x[10], y[10];
  for (int i = 0; i < 10; i++) x[i] = (float)i, y[i] = 1;
  quern_plan *plan;
  CHECK(quern_plan_new(2, 4, 8, &plan) == QUERN_OK);
  int64_t *slots = (int64_t *)plan->memory->data;
  for (int l = 0; l < 2; l++) {
    plan->launches[l] = (quern_launch){.entry = e, .lib = lib, .first_buf = 2 * l, .first_slot = 4 * l};
    quern_lib_retain(lib);
    plan->bufs[2 * l] = x;
    plan->bufs[2 * l + 1] = y;
    int64_t sizes[] = {10, 1, 1};
    memcpy(slots + 4 * l, sizes, sizeof sizes);
    ((quern_scalar *)slots)[4 * l + 3].f32 = 2;
  }
  int32_t failed = -1, violated = 0;
  CHECK(quern_plan_run(plan, 2, 1, &failed, &violated) == QUERN_OK);
  CHECK(y[9] == 37 && slots[8] > 0 && slots[9] > 0);
  slots[4] = -1; /* the second launch refuses a negative size */
  CHECK(quern_plan_run(plan, 2, 0, &failed, &violated) == QUERN_E_ASSUMPTION && failed == 1 && violated == 1);
  CHECK(y[9] == 55);
  atomic_store(&plan->cancelled, 1);
  CHECK(quern_plan_run(plan, 2, 0, &failed, &violated) == QUERN_E_CANCELLED && y[9] == 55);
  quern_lib_release(lib);
  quern_plan_free(plan);
}

static void measurements(void) {
  double rate = 0;
  CHECK(quern_measure_read(2, 1 << 22, 2, &rate) == QUERN_OK && rate > 1e8);
  CHECK(quern_measure_fma(1, 0, 1, &rate) == QUERN_OK && rate >= 0);
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  const quern_cpu *cpu = quern_cpu_get();
  CHECK(cpu->isa_count >= 1 && !strcmp(cpu->isas[cpu->isa_count - 1], "generic"));
  CHECK(quern_cpu_rank("no such set") == -1);
  allocations();
  files();
  libraries_and_plans(argv[1]);
  measurements();
  quern_pool_stop();
  return FINISH();
}
