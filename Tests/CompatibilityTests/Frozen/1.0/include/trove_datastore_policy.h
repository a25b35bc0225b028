/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The policy half of a datastore: what the API and the task manager ask before anything exists. Pure functions: no
   I/O, no state. */
#ifndef TROVE_DATASTORE_POLICY_H
#define TROVE_DATASTORE_POLICY_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_DATASTORE_POLICY "trove.datastore-policy/1"

typedef struct trove_datastore_policy_1 {
  uint32_t size, flags;
  /* Emits what an instance of a version needs: requirements.json. request: {"version"}. [worker] */
  trove_status (*requirements)(trove_call *call, trove_str request);
  /* TROVE_OK if an instance can be made as asked, else TROVE_INVALID_ARGUMENT with a sentence for the tenant.
     request: create-request.json. [worker] */
  trove_status (*validate_create)(trove_call *call, trove_str request);
  /* Emits the engine's configuration for a size: configuration.json. request: configuration-request.json. [worker] */
  trove_status (*render_configuration)(trove_call *call, trove_str request);
  /* Emits what may be configured: parameters.json. request: {"version"}. NULL: nothing. [worker] */
  trove_status (*parameters)(trove_call *call, trove_str request);
  /* TROVE_OK if the values can be used together, else TROVE_INVALID_ARGUMENT. The host has checked each value against the
     parameters before. request: {"version", "values": object}. NULL: no further rules. [worker] */
  trove_status (*validate_configuration)(trove_call *call, trove_str request);
  /* TROVE_OK if an instance can go from one version to another, else TROVE_PRECONDITION_FAILED with a sentence. Emits
     upgrade-plan.json. request: {"from", "to"}. NULL: never, except to the same version. [worker] */
  trove_status (*plan_upgrade)(trove_call *call, trove_str request);
} trove_datastore_policy_1;

#ifdef __cplusplus
}
#endif
#endif
