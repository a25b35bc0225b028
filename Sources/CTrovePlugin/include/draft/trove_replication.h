/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* DRAFT: not part of ABI 1.0, no host calls it yet, and it may change until it moves out of draft/. */
#ifndef TROVE_REPLICATION_H
#define TROVE_REPLICATION_H
#include "../trove_plugin.h"
#include "../trove_stream.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_REPLICATION "trove.replication/1"

/* The replication half of a datastore; self is the one that trove_datastore_1.open made. [worker] */
typedef struct trove_replication_1 {
  uint32_t size, flags;
  /* Makes this instance a master. Emits {"position", "access"}: what a replica needs to follow it. */
  trove_status (*enable_as_master)(void *self, trove_call *call, trove_str request);
  /* Writes a copy that a replica can start from. Emits {"position"}. */
  trove_status (*snapshot)(void *self, trove_call *call, trove_str request, const trove_ostream_1 *out);
  /* Follows a master. request: {"address", "port", "access", "position"}. */
  trove_status (*attach_replica)(void *self, trove_call *call, trove_str request);
  /* Stops following; with {"for_failover": true} the data stay writable only after make_read_only(false). */
  trove_status (*detach_replica)(void *self, trove_call *call, trove_str request);
  /* Stops being a master, after the last replica has gone. */
  trove_status (*demote_master)(void *self, trove_call *call, trove_str request);
  /* request: {"position"}. Returns once this replica has it, or TROVE_TIMED_OUT. */
  trove_status (*wait_for_position)(void *self, trove_call *call, trove_str request);
  /* Emits {"position"}: the last one that this instance has. */
  trove_status (*position)(void *self, trove_call *call, trove_str request);
  /* request: {"read_only": bool}. */
  trove_status (*make_read_only)(void *self, trove_call *call, trove_str request);
} trove_replication_1;

#ifdef __cplusplus
}
#endif
#endif
