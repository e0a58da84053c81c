/* The module: one Node-API addon that any number of JavaScript threads load side by side. All that is shared between
 * them is the C core's pool; nothing of JavaScript's is kept in a global. */
#include "args.h"

#include "../core/pool.h"

#include <stdatomic.h>

static _Atomic int32_t environments;

/* The last JavaScript thread that uses the addon takes the pool's threads with it. */
static void leave(void *data) {
  (void)data;
  if (atomic_fetch_sub(&environments, 1) == 1) quern_pool_stop();
}

NAPI_MODULE_INIT() {
  if (!quern_export_info(env, exports) || !quern_export_kernels(env, exports) || !quern_export_memories(env, exports) ||
      !quern_export_plans(env, exports) || !quern_export_gpu(env, exports) || !quern_set_number(env, exports, "abi", QUERN_ABI))
    return NULL; /* an exception is pending */
  atomic_fetch_add(&environments, 1);
  if (napi_add_env_cleanup_hook(env, leave, NULL) != napi_ok) atomic_fetch_sub(&environments, 1);
  return exports;
}
