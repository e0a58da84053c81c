/* What the machine is and can do. */
#include "args.h"

#include "../core/cpu.h"
#include "../core/measure.h"
#include "../core/pool.h"

#include <stdio.h>
#include <string.h>

static napi_value words(napi_env env, const char *const *list, int32_t count) {
  napi_value array;
  if (napi_create_array_with_length(env, (size_t)count, &array) != napi_ok) return NULL;
  for (int32_t i = 0; i < count; i++) {
    napi_value word;
    if (napi_create_string_utf8(env, list[i], NAPI_AUTO_LENGTH, &word) != napi_ok) return NULL;
    if (napi_set_element(env, array, (uint32_t)i, word) != napi_ok) return NULL;
  }
  return array;
}

/* cpuInfo() -> { brand, arch, features, isas, isaCap, isaCapKnown, l1d, l2, l3 } */
static napi_value cpu_info(napi_env env, napi_callback_info info) {
  (void)info;
  const quern_cpu *c = quern_cpu_get();
  napi_value o, isas = words(env, c->isas, c->isa_count), known;
  if (!isas || napi_create_object(env, &o) != napi_ok || napi_set_named_property(env, o, "isas", isas) != napi_ok ||
      napi_get_boolean(env, c->isa_cap_known, &known) != napi_ok ||
      napi_set_named_property(env, o, "isaCapKnown", known) != napi_ok)
    return NULL;
  quern_set_text(env, o, "brand", c->brand);
  quern_set_text(env, o, "arch", c->arch);
  quern_set_text(env, o, "features", c->features);
  quern_set_text(env, o, "isaCap", c->isa_cap);
  quern_set_number(env, o, "l1d", (double)c->l1d);
  quern_set_number(env, o, "l2", (double)c->l2);
  quern_set_number(env, o, "l3", (double)c->l3);
  return o;
}

/* poolInfo() -> { limit, cpus, cap, workers, loops, inlineLoops, sleeps } */
static napi_value pool_info(napi_env env, napi_callback_info info) {
  (void)info;
  quern_pool_info p;
  quern_pool_info_get(&p);
  napi_value o;
  if (napi_create_object(env, &o) != napi_ok) return NULL;
  quern_set_number(env, o, "limit", p.limit);
  quern_set_number(env, o, "cpus", p.cpus);
  quern_set_number(env, o, "cap", p.cap);
  quern_set_number(env, o, "workers", p.workers);
  quern_set_number(env, o, "loops", (double)p.loops);
  quern_set_number(env, o, "inlineLoops", (double)p.inline_loops);
  quern_set_number(env, o, "sleeps", (double)p.sleeps);
  return o;
}

/* poolConfigure(threads) -> threads in force; 0 asks for the default */
static napi_value pool_configure(napi_env env, napi_callback_info info) {
  napi_value args[1], result;
  double threads;
  if (!quern_args(env, info, 1, args) || !quern_arg_number(env, args[0], "threads", 0, QUERN_MAX_THREADS, &threads)) return NULL;
  return napi_create_int32(env, quern_pool_configure((int32_t)threads), &result) == napi_ok ? result : NULL;
}

/* measureRead(threads, bytes, rounds) -> bytes per second */
static napi_value measure_read(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  double threads, bytes, rounds, rate;
  if (!quern_args(env, info, 3, args) || !quern_arg_number(env, args[0], "threads", 0, QUERN_MAX_THREADS, &threads) ||
      !quern_arg_number(env, args[1], "bytes", 1, 1e12, &bytes) || !quern_arg_number(env, args[2], "rounds", 1, 1e6, &rounds))
    return NULL;
  quern_status status = quern_measure_read((int32_t)threads, (int64_t)bytes, (int32_t)rounds, &rate);
  if (status) return quern_throw_status(env, status, "measureRead");
  return napi_create_double(env, rate, &result) == napi_ok ? result : NULL;
}

/* measureFma(threads, f64, rounds) -> floating-point operations per second, 0 when unknown */
static napi_value measure_fma(napi_env env, napi_callback_info info) {
  napi_value args[3], result;
  double threads, rounds, rate;
  int f64;
  if (!quern_args(env, info, 3, args) || !quern_arg_number(env, args[0], "threads", 0, QUERN_MAX_THREADS, &threads) ||
      !quern_arg_flag(env, args[1], "f64", &f64) || !quern_arg_number(env, args[2], "rounds", 1, 1e6, &rounds))
    return NULL;
  quern_status status = quern_measure_fma((int32_t)threads, f64, (int32_t)rounds, &rate);
  if (status) return quern_throw_status(env, status, "measureFma");
  return napi_create_double(env, rate, &result) == napi_ok ? result : NULL;
}

/* rss() -> { total, anonymous, file, peak } in bytes; zeros where the system does not tell */
static napi_value rss(napi_env env, napi_callback_info info) {
  (void)info;
  static const struct { const char *label, *key; } rows[] = {
      {"VmRSS:", "total"}, {"RssAnon:", "anonymous"}, {"RssFile:", "file"}, {"VmHWM:", "peak"}};
  double bytes[4] = {0};
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  while (f && fgets(line, sizeof line, f))
    for (int i = 0; i < 4; i++) {
      unsigned long long kb;
      size_t n = strlen(rows[i].label);
      if (!strncmp(line, rows[i].label, n) && sscanf(line + n, "%llu", &kb) == 1) bytes[i] = (double)kb * 1024;
    }
  if (f) fclose(f);
  napi_value o;
  if (napi_create_object(env, &o) != napi_ok) return NULL;
  for (int i = 0; i < 4; i++) quern_set_number(env, o, rows[i].key, bytes[i]);
  return o;
}

int quern_export_info(napi_env env, napi_value exports) {
  static const quern_export list[] = {{"cpuInfo", cpu_info},          {"poolInfo", pool_info},   {"poolConfigure", pool_configure},
                                      {"measureRead", measure_read}, {"measureFma", measure_fma}, {"rss", rss}};
  return quern_export_all(env, exports, list, sizeof list / sizeof *list);
}
