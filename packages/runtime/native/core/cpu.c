#include "cpu.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static quern_cpu cpu;

static void add_feature(const char *name) {
  size_t used = strlen(cpu.features);
  snprintf(cpu.features + used, sizeof cpu.features - used, "%s%s", used ? " " : "", name);
}

static int has(const char *name) {
  size_t length = strlen(name);
  for (const char *at = cpu.features; (at = strstr(at, name)); at += length)
    if ((at == cpu.features || at[-1] == ' ') && (at[length] == ' ' || !at[length])) return 1;
  return 0;
}

static int has_all(const char *names) {
  char list[256], *rest = list;
  snprintf(list, sizeof list, "%s", names);
  for (char *name; (name = strtok_r(rest, " ", &rest));)
    if (!has(name)) return 0;
  return 1;
}

#if defined(__x86_64__)

#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

/* A feature is usable when its CPUID bit is set and the operating system saves the registers it needs. */
enum state { ANY = 0, YMM = 0x06, ZMM = 0xe6, TILE = 0x60000 };
enum reg { EAX, EBX, ECX, EDX };
static const struct bit {
  const char *name;
  uint32_t leaf, subleaf;
  enum reg reg;
  int bit;
  enum state state;
} bits[] = {
    {"sse3", 1, 0, ECX, 0, ANY},          {"ssse3", 1, 0, ECX, 9, ANY},         {"fma", 1, 0, ECX, 12, YMM},
    {"sse4.1", 1, 0, ECX, 19, ANY},       {"sse4.2", 1, 0, ECX, 20, ANY},       {"movbe", 1, 0, ECX, 22, ANY},
    {"popcnt", 1, 0, ECX, 23, ANY},       {"avx", 1, 0, ECX, 28, YMM},          {"f16c", 1, 0, ECX, 29, YMM},
    {"bmi1", 7, 0, EBX, 3, ANY},          {"avx2", 7, 0, EBX, 5, YMM},          {"bmi2", 7, 0, EBX, 8, ANY},
    {"avx512f", 7, 0, EBX, 16, ZMM},      {"avx512dq", 7, 0, EBX, 17, ZMM},     {"avx512cd", 7, 0, EBX, 28, ZMM},
    {"avx512bw", 7, 0, EBX, 30, ZMM},     {"avx512vl", 7, 0, EBX, 31, ZMM},     {"avx512vbmi", 7, 0, ECX, 1, ZMM},
    {"avx512vnni", 7, 0, ECX, 11, ZMM},   {"avx512fp16", 7, 0, EDX, 23, ZMM},   {"amx-bf16", 7, 0, EDX, 22, TILE},
    {"amx-tile", 7, 0, EDX, 24, TILE},    {"amx-int8", 7, 0, EDX, 25, TILE},    {"avxvnni", 7, 1, EAX, 4, YMM},
    {"avx512bf16", 7, 1, EAX, 5, ZMM},    {"lzcnt", 0x80000001, 0, ECX, 5, ANY},
};

static uint64_t saved_state(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27)) return 0; /* no XGETBV */
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return (uint64_t)d << 32 | a;
}

/* Linux saves the tiles of AMX only for processes that asked for it. */
static int tiles_granted(void) {
#if defined(__linux__)
  enum { REQUEST_STATE = 0x1023, TILE_DATA = 18 };
  return syscall(SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0;
#else
  return 0;
#endif
}

static void detect_features(void) {
  uint64_t state = saved_state();
  int tiles = (state & TILE) == TILE && tiles_granted();
  for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
    uint32_t r[4];
    if (!__get_cpuid_count(bits[i].leaf, bits[i].subleaf, &r[EAX], &r[EBX], &r[ECX], &r[EDX])) continue;
    if (bits[i].state == TILE && !tiles) continue;
    if ((r[bits[i].reg] >> bits[i].bit & 1) && (state & bits[i].state) == (uint64_t)bits[i].state) add_feature(bits[i].name);
  }
}

static void detect_brand(void) {
  uint32_t r[12];
  for (uint32_t i = 0; i < 3; i++)
    if (!__get_cpuid(0x80000002 + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3])) return;
  char text[49] = {0};
  memcpy(text, r, 48);
  char *start = text;
  while (*start == ' ') start++;
  for (size_t n = strlen(start); n && start[n - 1] == ' ';) start[--n] = 0;
  snprintf(cpu.brand, sizeof cpu.brand, "%s", start);
}

static const struct { const char *isa, *needs; } isas[] = {
    {"x86-64-amx", "amx-tile amx-bf16 amx-int8 avx512bf16 avx512vnni avx512f avx512bw avx512cd avx512dq avx512vl avx2 fma f16c bmi1 bmi2 lzcnt movbe"},
    {"x86-64-v4-bf16", "avx512bf16 avx512vnni avx512f avx512bw avx512cd avx512dq avx512vl avx2 fma f16c bmi1 bmi2 lzcnt movbe"},
    {"x86-64-v4-vnni", "avx512f avx512bw avx512cd avx512dq avx512vl avx512vnni avx2 fma f16c bmi1 bmi2 lzcnt movbe"},
    {"x86-64-v4", "avx512f avx512bw avx512cd avx512dq avx512vl avx2 fma f16c bmi1 bmi2 lzcnt movbe"},
    {"x86-64-v3", "avx2 fma f16c bmi1 bmi2 lzcnt movbe"},
    {"x86-64-v2", "ssse3 sse4.1 sse4.2 popcnt"},
    {"x86-64", ""},
    {"generic", ""},
};
#define ARCH "x64"

#else

static const struct { const char *isa, *needs; } isas[] = {
#if defined(__aarch64__)
    {"aarch64-i8mm", "asimddp i8mm"},
    {"aarch64-dotprod", "asimddp"},
    {"aarch64", ""},
#endif
    {"generic", ""},
};

#if defined(__aarch64__) && defined(__linux__)

#include <asm/hwcap.h>
#include <sys/auxv.h>
#define ARCH "arm64"

static void detect_features(void) {
  unsigned long caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
  (void)caps2;
#ifdef HWCAP_ASIMD
  if (caps & HWCAP_ASIMD) add_feature("asimd");
#endif
#ifdef HWCAP_ASIMDHP
  if (caps & HWCAP_ASIMDHP) add_feature("asimdhp");
#endif
#ifdef HWCAP_ASIMDDP
  if (caps & HWCAP_ASIMDDP) add_feature("asimddp");
#endif
#ifdef HWCAP_SVE
  if (caps & HWCAP_SVE) add_feature("sve");
#endif
#ifdef HWCAP2_I8MM
  if (caps2 & HWCAP2_I8MM) add_feature("i8mm");
#endif
#ifdef HWCAP2_BF16
  if (caps2 & HWCAP2_BF16) add_feature("bf16");
#endif
}

#else

#if defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "other"
#endif
static void detect_features(void) {}

#endif

static void detect_brand(void) {
  FILE *f = fopen("/proc/cpuinfo", "re");
  char line[256];
  while (f && !cpu.brand[0] && fgets(line, sizeof line, f)) {
    char *colon = strchr(line, ':');
    if (colon && (!strncmp(line, "model name", 10) || !strncmp(line, "Hardware", 8)))
      snprintf(cpu.brand, sizeof cpu.brand, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
  }
  if (f) fclose(f);
}

#endif

/* Linux tells what the first CPU sees; sizes there end in K or M. */
static void detect_caches(void) {
  for (int i = 0; i < 8; i++) {
    char path[96], type[32], size[32], level[16];
    const char *names[] = {"type", "size", "level"};
    char *into[] = {type, size, level};
    size_t room[] = {sizeof type, sizeof size, sizeof level};
    int ok = 1;
    for (int k = 0; k < 3 && ok; k++) {
      snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", i, names[k]);
      FILE *f = fopen(path, "re");
      ok = f && fgets(into[k], (int)room[k], f);
      if (f) fclose(f);
    }
    if (!ok || !strncmp(type, "Instruction", 11)) continue;
    char *unit;
    int64_t bytes = strtoll(size, &unit, 10) * (*unit == 'M' ? 1 << 20 : *unit == 'K' ? 1 << 10 : 1);
    if (level[0] == '1') cpu.l1d = bytes;
    if (level[0] == '2') cpu.l2 = bytes;
    if (level[0] == '3') cpu.l3 = bytes;
  }
#ifdef _SC_LEVEL1_DCACHE_SIZE
  if (cpu.l1d <= 0) cpu.l1d = sysconf(_SC_LEVEL1_DCACHE_SIZE);
  if (cpu.l2 <= 0) cpu.l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
  if (cpu.l3 <= 0) cpu.l3 = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
  if (cpu.l1d < 0) cpu.l1d = 0;
  if (cpu.l2 < 0) cpu.l2 = 0;
  if (cpu.l3 < 0) cpu.l3 = 0;
}

static void detect(void) {
  snprintf(cpu.arch, sizeof cpu.arch, "%s", ARCH);
  detect_features();
  detect_brand();
  detect_caches();
  const char *cap = getenv("QUERN_ISA");
  snprintf(cpu.isa_cap, sizeof cpu.isa_cap, "%s", cap ? cap : "");
  int first = 0;
  for (int i = 0; i < (int)(sizeof isas / sizeof *isas); i++)
    if (cpu.isa_cap[0] && !strcmp(isas[i].isa, cpu.isa_cap)) {
      cpu.isa_cap_known = 1;
      first = i;
    }
  for (int i = first; i < (int)(sizeof isas / sizeof *isas); i++)
    if (has_all(isas[i].needs)) cpu.isas[cpu.isa_count++] = isas[i].isa;
}

const quern_cpu *quern_cpu_get(void) {
  static pthread_once_t done = PTHREAD_ONCE_INIT;
  pthread_once(&done, detect);
  return &cpu;
}

int32_t quern_cpu_rank(const char *isa) {
  const quern_cpu *c = quern_cpu_get();
  for (int32_t i = 0; i < c->isa_count; i++)
    if (!strcmp(c->isas[i], isa)) return i;
  return -1;
}
