/* Plans: launches checked once and run many times. A plan keeps everything alive that its launches touch. */
#include "pins.h"

#include "../core/pool.h"

#include <string.h>

static void free_plan(napi_env env, void *data, void *hint) {
  quern_plan_handle *h = data;
  (void)hint;
  if (atomic_load(&h->plan->running)) h->orphaned = 1;
  else quern_unpin_all(env, h);
  quern_plan_handle_release(h);
}

/* The launches of planCreate: [kernel, buffers, ranges, sizes, scalars, threads] each. */
static int launch_parts(napi_env env, napi_value list, uint32_t index, napi_value parts[6]) {
  napi_value launch;
  bool is = false;
  uint32_t length = 0;
  if (napi_get_element(env, list, index, &launch) != napi_ok) return 0;
  if (napi_is_array(env, launch, &is) != napi_ok || !is || napi_get_array_length(env, launch, &length) != napi_ok || length != 6) {
    quern_throw(env, "QUERN_E_ARGUMENT", "launch %u must be an array of 6", (unsigned)index);
    return 0;
  }
  for (uint32_t i = 0; i < 6; i++)
    if (napi_get_element(env, launch, i, &parts[i]) != napi_ok) return 0;
  return 1;
}

static int fill_launch(napi_env env, quern_plan_handle *h, int32_t index, napi_value parts[6], int32_t *buf, int64_t *slot) {
  quern_kernel_handle *k;
  quern_operand operands[QUERN_MAX_BUFFERS];
  int64_t *size;
  quern_scalar *scalar;
  double threads;
  if (!quern_arg_launch(env, parts[0], parts[1], parts[2], parts[3], parts[4], &k, operands, &size, &scalar) ||
      !quern_arg_number(env, parts[5], "threads", 0, QUERN_MAX_THREADS, &threads))
    return 0;
  const quern_entry *e = k->entry;
  quern_launch *l = &h->plan->launches[index];
  *l = (quern_launch){.entry = e, .lib = k->lib, .threads = (int32_t)threads, .first_buf = *buf, .first_slot = *slot};
  quern_lib_retain(k->lib);
  int64_t *slots = (int64_t *)h->plan->memory->data + *slot;
  if (e->nsize) memcpy(slots, size, (size_t)e->nsize * 8);
  if (e->nscalar) memcpy(slots + e->nsize, scalar, (size_t)e->nscalar * 8);
  for (int32_t i = 0; i < e->nbuf; i++)
    if (!quern_pin_operand(env, h, *buf + i, &operands[i])) return 0;
  *buf += e->nbuf;
  *slot += e->nsize + e->nscalar;
  return 1;
}

/* Counts what the launches need; their kernels are checked here, the rest when they are filled in. */
static int measure_launches(napi_env env, napi_value list, uint32_t count, int32_t *bufs, int64_t *slots) {
  *bufs = 0;
  *slots = 0;
  for (uint32_t i = 0; i < count; i++) {
    napi_value parts[6];
    void *object;
    if (!launch_parts(env, list, i, parts) || !quern_arg_handle(env, parts[0], QUERN_HANDLE_KERNEL, &object)) return 0;
    const quern_entry *e = ((quern_kernel_handle *)object)->entry;
    *bufs += e->nbuf;
    *slots += e->nsize + e->nscalar;
  }
  return 1;
}

/* planCreate(launches) -> plan. Slots of a launch: its sizes, then its scalars, 8 bytes each, in the order of the launches. */
static napi_value plan_create(napi_env env, napi_callback_info info) {
  napi_value args[1];
  uint32_t count = 0;
  bool is = false;
  int32_t bufs, buf = 0;
  int64_t slots, slot = 0;
  if (!quern_args(env, info, 1, args)) return NULL;
  if (napi_is_array(env, args[0], &is) != napi_ok || !is || napi_get_array_length(env, args[0], &count) != napi_ok || count > 1u << 20)
    return quern_throw(env, "QUERN_E_ARGUMENT", "launches must be an array");
  if (!measure_launches(env, args[0], count, &bufs, &slots)) return NULL;
  quern_plan_handle *h = quern_plan_handle_new(count, bufs, slots);
  if (!h) return quern_throw_status(env, QUERN_E_MEMORY, "planCreate");
  for (uint32_t i = 0; i < count; i++) {
    napi_handle_scope scope;
    napi_value parts[6];
    int ok = napi_open_handle_scope(env, &scope) == napi_ok;
    if (ok) {
      ok = launch_parts(env, args[0], i, parts) && fill_launch(env, h, (int32_t)i, parts, &buf, &slot);
      napi_close_handle_scope(env, scope);
    }
    if (ok) continue;
    free_plan(env, h, NULL);
    return NULL;
  }
  return quern_wrap(env, QUERN_HANDLE_PLAN, h, free_plan);
}

quern_plan_handle *quern_idle_plan(napi_env env, napi_value value) {
  void *object;
  if (!quern_arg_handle(env, value, QUERN_HANDLE_PLAN, &object)) return NULL;
  quern_plan_handle *h = object;
  if (atomic_load(&h->closed)) quern_throw(env, "QUERN_E_CLOSED", "this plan has been closed");
  else if (atomic_load(&h->plan->running)) quern_throw(env, "QUERN_E_BUSY", "this plan is running");
  else return h;
  return NULL;
}

static void free_slots(napi_env env, void *data, void *hint) {
  (void)env, (void)data;
  quern_memory_release(hint);
}

/* planMemory(plan) -> ArrayBuffer over all slots, then one int64 per launch: its nanoseconds in the last timed run */
static napi_value plan_memory(napi_env env, napi_callback_info info) {
  napi_value args[1], buffer;
  quern_plan_handle *h;
  if (!quern_args(env, info, 1, args) || !(h = quern_idle_plan(env, args[0]))) return NULL;
  quern_memory *m = h->plan->memory;
  if (!m->bytes) {
    void *nothing;
    return napi_create_arraybuffer(env, 0, &nothing, &buffer) == napi_ok ? buffer : NULL;
  }
  quern_memory_retain(m);
  if (napi_create_external_arraybuffer(env, m->data, (size_t)m->bytes, free_slots, m, &buffer) == napi_ok) return buffer;
  quern_memory_release(m);
  return quern_throw(env, "QUERN_E_MEMORY", "no view of the plan's memory can be made");
}

/* planRebind(plan, launch, index, buffer, start, low, high, writes): another buffer for one operand */
static napi_value plan_rebind(napi_env env, napi_callback_info info) {
  napi_value args[8];
  quern_plan_handle *h;
  double launch, index, range[4];
  if (!quern_args(env, info, 8, args) || !(h = quern_idle_plan(env, args[0])) ||
      !quern_arg_number(env, args[1], "launch", 0, h->plan->count - 1, &launch))
    return NULL;
  const quern_launch *l = &h->plan->launches[(int32_t)launch];
  if (!quern_arg_number(env, args[2], "index", 0, l->entry->nbuf - 1, &index)) return NULL;
  for (int i = 0; i < 4; i++)
    if (napi_get_value_double(env, args[4 + i], &range[i]) != napi_ok)
      return quern_throw(env, "QUERN_E_ARGUMENT", "start, low, high and writes must be numbers");
  quern_operand operand;
  if (quern_arg_operand(env, args[3], range, (int32_t)index, &operand))
    quern_pin_operand(env, h, l->first_buf + (int32_t)index, &operand);
  return NULL;
}

napi_value quern_plan_outcome(napi_env env, quern_status status, int32_t failed, int32_t violated) {
  napi_value result, number;
  if (!status) return napi_get_null(env, &result) == napi_ok ? result : NULL;
  int32_t pair[] = {failed, violated};
  if (napi_create_array_with_length(env, 2, &result) != napi_ok) return NULL;
  for (uint32_t i = 0; i < 2; i++)
    if (napi_create_int32(env, pair[i], &number) != napi_ok || napi_set_element(env, result, i, number) != napi_ok) return NULL;
  return result;
}

static int libraries_open(napi_env env, const quern_plan *p) {
  for (int32_t i = 0; i < p->count; i++)
    if (atomic_load(&p->launches[i].lib->closed)) {
      quern_throw(env, "QUERN_E_CLOSED", "kernel '%s': its library has been closed", p->launches[i].entry->name);
      return 0;
    }
  return 1;
}

quern_plan_handle *quern_ready_plan(napi_env env, napi_callback_info info, int32_t *threads, int *timed) {
  napi_value args[3];
  quern_plan_handle *h;
  double count;
  if (!quern_args(env, info, 3, args) || !(h = quern_idle_plan(env, args[0])) ||
      !quern_arg_number(env, args[1], "threads", 0, QUERN_MAX_THREADS, &count) || !quern_arg_flag(env, args[2], "timed", timed) ||
      !quern_pins_hold(env, h) || !libraries_open(env, h->plan))
    return NULL;
  *threads = (int32_t)count;
  return h;
}

/* planRun(plan, threads, timed) -> null or [launch, assumption] */
static napi_value plan_run(napi_env env, napi_callback_info info) {
  int32_t threads;
  int timed;
  quern_plan_handle *h = quern_ready_plan(env, info, &threads, &timed);
  if (!h) return NULL;
  int32_t failed = 0, violated = 0;
  atomic_store(&h->plan->cancelled, 0);
  quern_status status = quern_plan_run(h->plan, threads, timed, &failed, &violated);
  if (status && status != QUERN_E_ASSUMPTION) return quern_throw_status(env, status, "planRun");
  return quern_plan_outcome(env, status, failed, violated);
}

/* planCancel(plan): a run in progress stops before its next launch */
static napi_value plan_cancel(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *h;
  if (!quern_args(env, info, 1, args) || !quern_arg_handle(env, args[0], QUERN_HANDLE_PLAN, &h)) return NULL;
  atomic_store(&((quern_plan_handle *)h)->plan->cancelled, 1);
  return NULL;
}

/* planClose(plan): gives up all that it holds */
static napi_value plan_close(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *object;
  if (!quern_args(env, info, 1, args) || !quern_arg_handle(env, args[0], QUERN_HANDLE_PLAN, &object)) return NULL;
  if (atomic_load(&((quern_plan_handle *)object)->closed)) return NULL;
  quern_plan_handle *h = quern_idle_plan(env, args[0]);
  if (!h) return NULL;
  atomic_store(&h->closed, 1);
  quern_unpin_all(env, h);
  return NULL;
}

int quern_export_plans(napi_env env, napi_value exports) {
  static const quern_export list[] = {{"planCreate", plan_create},        {"planMemory", plan_memory}, {"planRebind", plan_rebind},
                                      {"planRun", plan_run},              {"planRunAsync", quern_plan_run_async},
                                      {"planCancel", plan_cancel},        {"planClose", plan_close}};
  return quern_export_all(env, exports, list, sizeof list / sizeof *list);
}
