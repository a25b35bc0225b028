/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* DRAFT: not part of ABI 1.0, no host calls it yet, and it may change until it moves out of draft/. */
#ifndef TROVE_CLUSTER_H
#define TROVE_CLUSTER_H
#include "../trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_CLUSTER "trove.cluster/1"

/* The cluster half of a datastore; self is the one that trove_datastore_1.open made. [worker] */
typedef struct trove_cluster_1 {
  uint32_t size, flags;
  /* On each member before its first start. request: {"members": [{"instance_id", "address", "port", "role"}], "secret"}. */
  trove_status (*prepare_member)(void *self, trove_call *call, trove_str request);
  /* On one member, once all run: makes them a cluster. */
  trove_status (*form)(void *self, trove_call *call, trove_str request);
  /* On one member of a formed cluster. request: {"members": […]}, those that come or go. */
  trove_status (*grow)(void *self, trove_call *call, trove_str request);
  trove_status (*shrink)(void *self, trove_call *call, trove_str request);
  /* Emits {"members": [{"instance_id", "state"}], "healthy": bool}. */
  trove_status (*cluster_status)(void *self, trove_call *call, trove_str request);
} trove_cluster_1;

#ifdef __cplusplus
}
#endif
#endif
