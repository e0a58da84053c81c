#include "pins.h"

#include <stdlib.h>
#include <string.h>

quern_plan_handle *quern_plan_handle_new(uint32_t count, int32_t bufs, int64_t slots) {
  quern_plan_handle *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  atomic_init(&h->references, 1);
  h->pins = calloc((size_t)bufs + 1, sizeof *h->pins);
  h->pin_of = malloc(((size_t)bufs + 1) * sizeof *h->pin_of);
  if (h->pins && h->pin_of && !quern_plan_new((int32_t)count, bufs, slots, &h->plan)) {
    for (int32_t i = 0; i < bufs; i++) h->pin_of[i] = -1;
    return h;
  }
  free(h->pins);
  free(h->pin_of);
  free(h);
  return NULL;
}

void quern_plan_handle_release(quern_plan_handle *h) {
  if (atomic_fetch_sub(&h->references, 1) != 1) return;
  quern_plan_free(h->plan);
  free(h->pins);
  free(h->pin_of);
  free(h);
}

static void drop_pin(napi_env env, quern_pin *p) {
  if (--p->users > 0) return;
  if (p->memory) quern_memory_release(p->memory);
  if (p->owner) napi_delete_reference(env, p->owner);
  memset(p, 0, sizeof *p);
}

void quern_unpin_all(napi_env env, quern_plan_handle *h) {
  for (int32_t i = 0; i < h->plan->buf_count; i++) {
    if (h->pin_of[i] >= 0) drop_pin(env, &h->pins[h->pin_of[i]]);
    h->pin_of[i] = -1;
  }
}

/* The place among the pins of the operand's bytes, made when there is none yet; -1 with an exception. */
static int32_t place_of(napi_env env, quern_plan_handle *h, const quern_bytes *b) {
  int32_t free_place = -1;
  for (int32_t i = 0; i < h->pin_count; i++) {
    quern_pin *p = &h->pins[i];
    if (!p->users) free_place = i;
    else if (b->memory ? p->memory == b->memory : !p->memory && p->data == b->data && p->length == b->length) {
      p->users++;
      return i;
    }
  }
  if (free_place < 0) free_place = h->pin_count++;
  quern_pin *p = &h->pins[free_place];
  memset(p, 0, sizeof *p);
  p->data = b->data;
  p->length = b->length;
  if (b->memory) {
    p->memory = b->memory;
    quern_memory_retain(b->memory);
  } else if (napi_create_reference(env, b->owner, 1, &p->owner) != napi_ok) {
    quern_throw(env, "QUERN_E_MEMORY", "could not keep a buffer of the plan");
    return -1;
  }
  p->users = 1;
  return free_place;
}

int quern_pin_operand(napi_env env, quern_plan_handle *h, int32_t place, const quern_operand *operand) {
  int32_t new_pin = place_of(env, h, &operand->bytes);
  if (new_pin < 0) return 0;
  if (h->pin_of[place] >= 0) drop_pin(env, &h->pins[h->pin_of[place]]);
  h->pin_of[place] = new_pin;
  h->plan->bufs[place] = operand->start;
  return 1;
}

int quern_pins_hold(napi_env env, const quern_plan_handle *h) {
  for (int32_t i = 0; i < h->pin_count; i++) {
    const quern_pin *p = &h->pins[i];
    if (!p->users) continue;
    if (p->memory) {
      if (!atomic_load(&p->memory->closed)) continue;
      quern_throw(env, "QUERN_E_CLOSED", "a buffer of the plan has been freed");
      return 0;
    }
    napi_value owner;
    quern_bytes now;
    if (napi_get_reference_value(env, p->owner, &owner) != napi_ok || !owner || !quern_arg_bytes(env, owner, "a buffer of the plan", &now))
      return 0;
    if (now.data == p->data && now.length >= p->length) continue;
    quern_throw(env, "QUERN_E_DETACHED", "a buffer of the plan has been moved or shortened");
    return 0;
  }
  return 1;
}

int quern_pins_native(napi_env env, const quern_plan_handle *h) {
  for (int32_t i = 0; i < h->pin_count; i++)
    if (h->pins[i].users && !h->pins[i].memory) {
      /* JavaScript could detach it, and its bytes be collected, in the middle of the run. */
      quern_throw(env, "QUERN_E_ARGUMENT", "an asynchronous run works on native memory only, not on JavaScript's buffers");
      return 0;
    }
  return 1;
}
