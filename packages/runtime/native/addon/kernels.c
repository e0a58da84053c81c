/* Kernel libraries and single launches. */
#include "args.h"

#include "../core/call.h"
#include "../core/cpu.h"
#include "../core/pool.h"

#include <stdio.h>
#include <stdlib.h>

static void free_library(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  quern_lib_release(data);
}

static void free_kernel(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  quern_kernel_handle *k = data;
  quern_lib_release(k->lib);
  free(k);
}

/* libraryOpen(path) -> library */
static napi_value library_open(napi_env env, napi_callback_info info) {
  napi_value args[1];
  char path[4096], why[900];
  if (!quern_args(env, info, 1, args) || !quern_arg_text(env, args[0], "path", path, sizeof path)) return NULL;
  quern_lib *lib;
  quern_status status = quern_lib_open(path, &lib, why, sizeof why);
  if (status) return quern_throw_status(env, status, status == QUERN_E_MEMORY ? path : why);
  return quern_wrap(env, QUERN_HANDLE_LIBRARY, lib, free_library);
}

static quern_lib *open_library(napi_env env, napi_value value) {
  void *lib;
  if (!quern_arg_handle(env, value, QUERN_HANDLE_LIBRARY, &lib)) return NULL;
  if (!atomic_load(&((quern_lib *)lib)->closed)) return lib;
  quern_throw(env, "QUERN_E_CLOSED", "this library has been closed");
  return NULL;
}

/* libraryClose(library): its kernels refuse to run from now on; its code goes when nothing holds it any more. */
static napi_value library_close(napi_env env, napi_callback_info info) {
  napi_value args[1];
  void *lib;
  if (!quern_args(env, info, 1, args) || !quern_arg_handle(env, args[0], QUERN_HANDLE_LIBRARY, &lib)) return NULL;
  atomic_store(&((quern_lib *)lib)->closed, 1);
  return NULL;
}

static napi_value entry_object(napi_env env, const quern_entry *e) {
  napi_value o, runs;
  if (napi_create_object(env, &o) != napi_ok) return NULL;
  quern_set_text(env, o, "name", e->name);
  quern_set_text(env, o, "isa", e->isa);
  quern_set_number(env, o, "nbuf", e->nbuf);
  quern_set_number(env, o, "nsize", e->nsize);
  quern_set_number(env, o, "nscalar", e->nscalar);
  quern_set_number(env, o, "scratchBytes", (double)e->scratch_bytes);
  quern_set_number(env, o, "sharedBytes", (double)e->shared_bytes);
  napi_get_boolean(env, quern_cpu_rank(e->isa) >= 0, &runs);
  napi_set_named_property(env, o, "supported", runs);
  return o;
}

/* libraryEntries(library) -> { hash, entries: [{ name, isa, supported, nbuf, nsize, nscalar, scratchBytes, sharedBytes }] } */
static napi_value library_entries(napi_env env, napi_callback_info info) {
  napi_value args[1], o, list;
  quern_lib *lib;
  if (!quern_args(env, info, 1, args) || !(lib = open_library(env, args[0]))) return NULL;
  if (napi_create_object(env, &o) != napi_ok || napi_create_array_with_length(env, (size_t)lib->table->count, &list) != napi_ok)
    return NULL;
  for (int32_t i = 0; i < lib->table->count; i++) {
    napi_value e = entry_object(env, &lib->table->entries[i]);
    if (!e || napi_set_element(env, list, (uint32_t)i, e) != napi_ok) return NULL;
  }
  quern_set_text(env, o, "hash", lib->table->hash ? lib->table->hash : "");
  napi_set_named_property(env, o, "entries", list);
  return o;
}

/* libraryKernel(library, name, isa | null) -> { handle, name, isa, ... } for the best instruction set, or for that one */
static napi_value library_kernel(napi_env env, napi_callback_info info) {
  napi_value args[3];
  quern_lib *lib;
  char name[256], isa[64];
  if (!quern_args(env, info, 3, args) || !(lib = open_library(env, args[0])) ||
      !quern_arg_text(env, args[1], "name", name, sizeof name))
    return NULL;
  napi_valuetype type;
  if (napi_typeof(env, args[2], &type) != napi_ok) return NULL;
  int any = type == napi_null || type == napi_undefined;
  if (!any && !quern_arg_text(env, args[2], "isa", isa, sizeof isa)) return NULL;
  const quern_entry *entry;
  quern_status status = quern_lib_find(lib, name, any ? NULL : isa, &entry);
  if (status) return quern_throw_status(env, status, name);
  quern_kernel_handle *k = malloc(sizeof *k);
  if (!k) return quern_throw_status(env, QUERN_E_MEMORY, name);
  k->lib = lib;
  k->entry = entry;
  quern_lib_retain(lib);
  napi_value handle = quern_wrap(env, QUERN_HANDLE_KERNEL, k, free_kernel);
  napi_value o = handle ? entry_object(env, entry) : NULL;
  if (!o || napi_set_named_property(env, o, "handle", handle) != napi_ok) return NULL;
  return o;
}

/* launch(kernel, buffers, ranges, sizes, scalars, threads) -> 0, or the number of the assumption that does not hold */
static napi_value launch(napi_env env, napi_callback_info info) {
  napi_value args[6], result;
  quern_kernel_handle *k;
  quern_operand operands[QUERN_MAX_BUFFERS];
  void *buf[QUERN_MAX_BUFFERS];
  int64_t *size;
  quern_scalar *scalar;
  double threads;
  if (!quern_args(env, info, 6, args) ||
      !quern_arg_launch(env, args[0], args[1], args[2], args[3], args[4], &k, operands, &size, &scalar) ||
      !quern_arg_number(env, args[5], "threads", 0, QUERN_MAX_THREADS, &threads))
    return NULL;
  for (int32_t i = 0; i < k->entry->nbuf; i++) buf[i] = operands[i].start;
  int32_t violated = 0;
  quern_status status = quern_call(k->entry, buf, size, scalar, (int32_t)threads, &violated);
  if (status && status != QUERN_E_ASSUMPTION) return quern_throw_status(env, status, k->entry->name);
  return napi_create_int32(env, violated, &result) == napi_ok ? result : NULL;
}

int quern_export_kernels(napi_env env, napi_value exports) {
  static const quern_export list[] = {{"libraryOpen", library_open},
                                      {"libraryClose", library_close},
                                      {"libraryEntries", library_entries},
                                      {"libraryKernel", library_kernel},
                                      {"launch", launch}};
  return quern_export_all(env, exports, list, sizeof list / sizeof *list);
}
