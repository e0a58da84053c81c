#include "gpu.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int quern_gpu_fail(quern_gpu_error *e, quern_gpu_code code, const char *format, ...) {
  e->code = code;
  va_list list;
  va_start(list, format);
  vsnprintf(e->text, QUERN_GPU_LOG, format, list);
  va_end(list);
  return code == QUERN_GPU_OK ? 0 : -1;
}

/* A name with a * stands for every file that it matches, the last of them first: versions count upwards. */
static void *try_name(const char *name, quern_gpu_error *e, size_t *used) {
  void *handle = NULL;
  if (!strchr(name, '*')) {
    handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!handle && *used < QUERN_GPU_LOG / 2) {
      const char *why = dlerror();
      *used += (size_t)snprintf(e->text + *used, QUERN_GPU_LOG / 2 - *used, "%s%s", *used ? "; " : "", why ? why : name);
    }
    return handle;
  }
  glob_t found;
  if (glob(name, 0, NULL, &found) == 0) {
    for (size_t i = found.gl_pathc; i > 0 && !handle; i--) handle = dlopen(found.gl_pathv[i - 1], RTLD_NOW | RTLD_LOCAL);
    globfree(&found);
  }
  return handle;
}

void *quern_gpu_dlopen(const char *variable, const char *const *names, quern_gpu_error *e) {
  size_t used = 0;
  e->code = QUERN_GPU_ABSENT;
  e->text[0] = 0;
  const char *chosen = getenv(variable);
  if (chosen && *chosen) return try_name(chosen, e, &used);
  for (; *names; names++) {
    void *handle = try_name(*names, e, &used);
    if (handle) return handle;
  }
  return NULL;
}

int quern_gpu_load_once(quern_gpu_once *o, int (*load)(quern_gpu_error *e), quern_gpu_error *e) {
  pthread_mutex_lock(&o->lock);
  if (o->state == 0) {
    o->state = load(e) == 0 ? 1 : -1;
    o->code = e->code;
    if (o->state < 0) snprintf(o->why, sizeof o->why, "%s", e->text);
  }
  int state = o->state;
  pthread_mutex_unlock(&o->lock);
  return state == 1 ? 0 : quern_gpu_fail(e, o->code, "%s", o->why);
}
