/* What a plan's launches touch, kept alive and looked after. */
#ifndef QUERN_PINS_H
#define QUERN_PINS_H

#include "args.h"

#include "../core/plan.h"

/* One thing that launches touch: native memory, or an object of JavaScript's that could be detached between runs. */
typedef struct quern_pin {
  int32_t users;
  quern_memory *memory;
  napi_ref owner;
  unsigned char *data;
  uint64_t length;
} quern_pin;

typedef struct quern_plan_handle {
  _Atomic int32_t references; /* the external, and a run in progress */
  quern_plan *plan;
  quern_pin *pins; /* at most one per buffer */
  int32_t *pin_of;
  int32_t pin_count;
  _Atomic int32_t closed;
  int32_t orphaned; /* collected while a run was in progress: the run's end gives up the pins */
} quern_plan_handle;

/* Room for the given numbers, or NULL. */
quern_plan_handle *quern_plan_handle_new(uint32_t count, int32_t bufs, int64_t slots);
/* Gives up one reference. */
void quern_plan_handle_release(quern_plan_handle *h);
/* Gives up all pins. */
void quern_unpin_all(napi_env env, quern_plan_handle *h);
/* Makes buffer `place` of the plan this operand; 0 with an exception. */
int quern_pin_operand(napi_env env, quern_plan_handle *h, int32_t place, const quern_operand *operand);
/* Whether every buffer is still where it was; throws when not. */
int quern_pins_hold(napi_env env, const quern_plan_handle *h);
/* Whether all of them are native memory, which nobody can take away in the middle of a run; throws when not. */
int quern_pins_native(napi_env env, const quern_plan_handle *h);

/* planRunAsync, in its own file. */
napi_value quern_plan_run_async(napi_env env, napi_callback_info info);
/* The plan when it can be run or changed; NULL with an exception. */
quern_plan_handle *quern_idle_plan(napi_env env, napi_value value);
/* The arguments (plan, threads, timed) of a run, and whether all that the plan holds is still there. */
quern_plan_handle *quern_ready_plan(napi_env env, napi_callback_info info, int32_t *threads, int *timed);
/* null, or [launch, assumption] of the launch that refused to run. */
napi_value quern_plan_outcome(napi_env env, quern_status status, int32_t failed, int32_t violated);

#endif
