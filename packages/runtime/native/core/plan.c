#include "plan.h"

#include "call.h"
#include "wait.h"

#include <stdlib.h>

quern_status quern_plan_new(int32_t count, int32_t buf_count, int64_t slot_count, quern_plan **plan) {
  quern_plan *p = calloc(1, sizeof *p);
  if (!p) return QUERN_E_MEMORY;
  p->count = count;
  p->buf_count = buf_count;
  p->slot_count = slot_count;
  p->launches = calloc((size_t)count + 1, sizeof *p->launches);
  p->bufs = calloc((size_t)buf_count + 1, sizeof *p->bufs);
  quern_status status = quern_memory_alloc((uint64_t)(slot_count + count) * 8, &p->memory);
  if (!status && p->launches && p->bufs) {
    *plan = p;
    return QUERN_OK;
  }
  if (status) p->memory = NULL;
  p->count = 0;
  quern_plan_free(p);
  return QUERN_E_MEMORY;
}

void quern_plan_free(quern_plan *p) {
  for (int32_t i = 0; i < p->count; i++)
    if (p->launches[i].lib) quern_lib_release(p->launches[i].lib);
  if (p->memory) quern_memory_release(p->memory);
  free(p->launches);
  free(p->bufs);
  free(p);
}

quern_status quern_plan_run(quern_plan *p, int32_t threads, int timed, int32_t *failed, int32_t *violated) {
  int64_t *slots = (int64_t *)p->memory->data, *ns = slots + p->slot_count;
  for (int32_t i = 0; i < p->count; i++) {
    const quern_launch *l = &p->launches[i];
    *failed = i;
    if (atomic_load_explicit(&p->cancelled, memory_order_relaxed)) return QUERN_E_CANCELLED;
    const int64_t *size = slots + l->first_slot;
    int64_t start = timed ? quern_now() : 0;
    quern_status status = quern_call(l->entry, p->bufs + l->first_buf, size, (const quern_scalar *)(size + l->entry->nsize),
                                     l->threads ? l->threads : threads, violated);
    if (timed) ns[i] = quern_now() - start;
    if (status) return status;
  }
  return QUERN_OK;
}
