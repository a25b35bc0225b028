/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* Applies modules, pieces of content that an operator or a tenant attaches to instances, e.g. a licence file. */
#ifndef TROVE_MODULE_DRIVER_H
#define TROVE_MODULE_DRIVER_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_MODULE_DRIVER "trove.module-driver/1"

/* Loaded in the guest. request: module-request.json. Every function is idempotent. */
typedef struct trove_module_driver_1 {
  uint32_t size, flags;
  const char *type; /* the module type it serves, e.g. "ping"; lower-case words and '_' */
  /* TROVE_OK if contents of a module can be used, else TROVE_INVALID_ARGUMENT. NULL: any contents. [worker] */
  trove_status (*validate)(trove_call *call, trove_str request);
  /* Makes the module effective on this instance. Emits {"message": text}. [worker] */
  trove_status (*apply)(trove_call *call, trove_str request);
  /* Takes it away. NULL: it cannot be taken away. [worker] */
  trove_status (*remove)(trove_call *call, trove_str request);
} trove_module_driver_1;

#ifdef __cplusplus
}
#endif
#endif
