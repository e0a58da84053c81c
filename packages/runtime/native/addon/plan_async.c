/* Runs of plans in another thread, so that JavaScript goes on meanwhile. */
#include "pins.h"

#include <stdlib.h>

typedef struct async_run {
  quern_plan_handle *handle;
  napi_async_work work;
  napi_deferred deferred;
  int32_t threads, failed, violated;
  int timed;
  quern_status status;
} async_run;

static void execute(napi_env env, void *data) {
  async_run *r = data;
  (void)env;
  r->status = quern_plan_run(r->handle->plan, r->threads, r->timed, &r->failed, &r->violated);
}

static void complete(napi_env env, napi_status work_status, void *data) {
  async_run *r = data;
  atomic_store(&r->handle->plan->running, 0);
  if (work_status == napi_cancelled) r->status = QUERN_E_CANCELLED;
  napi_value value;
  if (!r->status || r->status == QUERN_E_ASSUMPTION) {
    value = quern_plan_outcome(env, r->status, r->failed, r->violated);
    if (value) napi_resolve_deferred(env, r->deferred, value);
  } else {
    quern_throw_status(env, r->status, "planRunAsync");
    if (napi_get_and_clear_last_exception(env, &value) == napi_ok) napi_reject_deferred(env, r->deferred, value);
  }
  napi_delete_async_work(env, r->work);
  if (r->handle->orphaned) quern_unpin_all(env, r->handle);
  quern_plan_handle_release(r->handle);
  free(r);
}

/* planRunAsync(plan, threads, timed) -> Promise of null or [launch, assumption]; planCancel rejects it */
napi_value quern_plan_run_async(napi_env env, napi_callback_info info) {
  napi_value promise, name;
  int32_t threads;
  int timed;
  quern_plan_handle *h = quern_ready_plan(env, info, &threads, &timed);
  if (!h || !quern_pins_native(env, h)) return NULL;
  async_run *r = calloc(1, sizeof *r);
  if (!r) return quern_throw_status(env, QUERN_E_MEMORY, "planRunAsync");
  r->handle = h;
  r->threads = threads;
  r->timed = timed;
  atomic_store(&h->plan->cancelled, 0);
  if (napi_create_string_utf8(env, "quern.plan", NAPI_AUTO_LENGTH, &name) == napi_ok &&
      napi_create_promise(env, &r->deferred, &promise) == napi_ok &&
      napi_create_async_work(env, NULL, name, execute, complete, r, &r->work) == napi_ok) {
    atomic_store(&h->plan->running, 1);
    atomic_fetch_add(&h->references, 1);
    if (napi_queue_async_work(env, r->work) == napi_ok) return promise;
    atomic_store(&h->plan->running, 0);
    quern_plan_handle_release(h);
    napi_delete_async_work(env, r->work);
  }
  free(r);
  return quern_throw(env, "QUERN_E_INTERNAL", "could not start an asynchronous run");
}
