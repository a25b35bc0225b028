/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* What a plugin answers when the same plugin in another role calls it through trove.rpc/1. */
#ifndef TROVE_RPC_PEER_H
#define TROVE_RPC_PEER_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_RPC_PEER "trove.rpc-peer/1"

typedef struct trove_rpc_peer_1 {
  uint32_t size, flags;
  /* request: rpc-message.json, {"from": "guest" | "control", "instance_id", "method", "payload"}. Emits one JSON value, or
     nothing; what it emits for a cast is dropped. A cast may arrive twice. Calls may overlap. [worker] */
  trove_status (*handle)(trove_call *call, trove_str request);
} trove_rpc_peer_1;

#ifdef __cplusplus
}
#endif
#endif
