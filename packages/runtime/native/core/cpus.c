#include "cpus.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)

static int32_t affinity(void) {
  /* The kernel refuses a mask smaller than its own, so grow until it fits. */
  for (int bits = 1024; bits <= 1 << 20; bits *= 4) {
    cpu_set_t *set = CPU_ALLOC(bits);
    if (!set) return 0;
    size_t bytes = CPU_ALLOC_SIZE(bits);
    int failed = sched_getaffinity(0, bytes, set);
    int32_t count = failed ? 0 : CPU_COUNT_S(bytes, set);
    CPU_FREE(set);
    if (!failed) return count;
  }
  return 0;
}

static int read_line(const char *path, char *line, int size) {
  FILE *f = fopen(path, "re");
  if (!f) return 0;
  int ok = fgets(line, size, f) != NULL;
  fclose(f);
  return ok;
}

/* CPUs that a quota of `quota` microseconds per `period` is worth, rounded up; 0 when there is none. */
static int32_t quota_cpus(double quota, double period) {
  if (quota <= 0 || period <= 0) return 0;
  double cpus = quota / period;
  if (cpus > 1 << 20) return 0;
  int32_t whole = (int32_t)cpus;
  return whole < cpus ? whole + 1 : whole;
}

static int32_t smaller(int32_t a, int32_t b) {
  if (!a) return b;
  return b && b < a ? b : a;
}

/* cgroup v2: the tightest cpu.max from our group up to the root. */
static int32_t quota_v2(char *group) {
  int32_t best = 0;
  for (;;) {
    char path[4200], line[128];
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
    double quota, period;
    if (read_line(path, line, sizeof line) && sscanf(line, "%lf %lf", &quota, &period) == 2)
      best = smaller(best, quota_cpus(quota, period));
    char *slash = strrchr(group, '/');
    if (!slash) return best;
    *slash = 0;
  }
}

static int32_t quota_v1(const char *group) {
  const char *roots[] = {"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct"};
  int32_t best = 0;
  for (int i = 0; i < 2; i++) {
    const char *groups[] = {group, ""};
    for (int j = 0; j < 2; j++) {
      char path[4300], quota[64], period[64];
      snprintf(path, sizeof path, "%s%s/cpu.cfs_quota_us", roots[i], groups[j]);
      if (!read_line(path, quota, sizeof quota)) continue;
      snprintf(path, sizeof path, "%s%s/cpu.cfs_period_us", roots[i], groups[j]);
      if (read_line(path, period, sizeof period)) best = smaller(best, quota_cpus(atof(quota), atof(period)));
    }
  }
  return best;
}

static int32_t cgroup_quota(void) {
  FILE *f = fopen("/proc/self/cgroup", "re");
  if (!f) return 0;
  char line[4096];
  int32_t best = 0;
  while (fgets(line, sizeof line, f)) { /* id:controllers:path */
    line[strcspn(line, "\n")] = 0;
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = 0;
    controllers++;
    if (!*controllers) best = smaller(best, quota_v2(group));
    else if (!strcmp(controllers, "cpu") || strstr(controllers, "cpu,")) best = smaller(best, quota_v1(group));
  }
  fclose(f);
  return best;
}

#else

static int32_t affinity(void) { return 0; }
static int32_t cgroup_quota(void) { return 0; }

#endif

int32_t quern_cpus(void) {
  int32_t cpus = affinity();
  if (cpus < 1) cpus = (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
  int32_t quota = cgroup_quota();
  if (quota > 0 && quota < cpus) cpus = quota;
  return cpus < 1 ? 1 : cpus;
}
