#include "library.h"

#include "cpu.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sound(const quern_entry *e) {
  return e->name && *e->name && e->isa && e->fn && e->nbuf >= 0 && e->nsize >= 0 && e->nscalar >= 0 &&
         e->scratch_bytes >= 0 && e->shared_bytes >= 0;
}

static quern_status check(const quern_library *table, char *why, int why_size) {
  if (!table) {
    snprintf(why, (size_t)why_size, "quern_library_get() returned no table");
    return QUERN_E_TABLE;
  }
  if (table->abi != QUERN_ABI) {
    snprintf(why, (size_t)why_size, "built for kernel ABI %d, this runtime has %d", (int)table->abi, QUERN_ABI);
    return QUERN_E_ABI;
  }
  if (table->count < 0 || (table->count && !table->entries)) {
    snprintf(why, (size_t)why_size, "its table claims %d entries", (int)table->count);
    return QUERN_E_TABLE;
  }
  for (int32_t i = 0; i < table->count; i++)
    if (!sound(&table->entries[i])) {
      snprintf(why, (size_t)why_size, "entry %d of its table is not sound", (int)i);
      return QUERN_E_TABLE;
    }
  return QUERN_OK;
}

quern_status quern_lib_open(const char *path, quern_lib **lib, char *why, int why_size) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char *text = dlerror();
    snprintf(why, (size_t)why_size, "%s", text ? text : "dlopen failed");
    return QUERN_E_LOAD;
  }
  const quern_library *(*get)(void);
  *(void **)&get = dlsym(handle, "quern_library_get");
  if (!get) {
    snprintf(why, (size_t)why_size, "it does not export quern_library_get");
    dlclose(handle);
    return QUERN_E_LOAD;
  }
  const quern_library *table = get();
  quern_status status = check(table, why, why_size);
  quern_lib *made = status ? NULL : malloc(sizeof *made);
  if (!made) {
    dlclose(handle);
    return status ? status : QUERN_E_MEMORY;
  }
  atomic_init(&made->references, 1);
  atomic_init(&made->closed, 0);
  made->handle = handle;
  made->table = table;
  *lib = made;
  return QUERN_OK;
}

void quern_lib_retain(quern_lib *lib) { atomic_fetch_add(&lib->references, 1); }

void quern_lib_release(quern_lib *lib) {
  if (atomic_fetch_sub(&lib->references, 1) != 1) return;
  dlclose(lib->handle);
  free(lib);
}

quern_status quern_lib_find(const quern_lib *lib, const char *name, const char *isa, const quern_entry **entry) {
  int32_t best = QUERN_MAX_ISAS, exists = 0;
  for (int32_t i = 0; i < lib->table->count; i++) {
    const quern_entry *e = &lib->table->entries[i];
    if (strcmp(e->name, name) || (isa && strcmp(e->isa, isa))) continue;
    exists = 1;
    int32_t rank = quern_cpu_rank(e->isa);
    if (rank < 0 || rank >= best) continue;
    best = rank;
    *entry = e;
  }
  if (best < QUERN_MAX_ISAS) return QUERN_OK;
  return exists ? QUERN_E_ISA : QUERN_E_NOT_FOUND;
}
