/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* DRAFT: not part of ABI 1.0. This host calls it; it may change until it moves out of draft/. */
/* The TLS of a datastore's engine: certificates that the guest agent has checked and written, made effective. */
#ifndef TROVE_TLS_H
#define TROVE_TLS_H
#include "../trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_TLS "trove.tls/1"

/* Beside trove.datastore/1 of the same plugin: self is what its open made, and calls never overlap with its own. Without
   this table the engine's TLS cannot be changed. */
typedef struct trove_tls_1 {
  uint32_t size, flags;
  /* Makes TLS as request says: at once where the running engine can, and for every later start. The files are the engine's
     to read, stay under the same paths when their content is exchanged, and are there before each launch. Accounts of
     tenants are let in as the mode says, those made later too; the plugin's own account always is. A failure leaves it to
     the host to ask for what was before. request: tls-request.json. Emits {"restart_required": bool}: whether the engine
     that runs must be started anew first. Idempotent. [worker] */
  trove_status (*apply)(void *self, trove_call *call, trove_str request);
  /* Emits tls-status.json: what the engine does now, and the mode that was applied last. request: {}. [worker] */
  trove_status (*show)(void *self, trove_call *call, trove_str request);
} trove_tls_1;

#ifdef __cplusplus
}
#endif
#endif
