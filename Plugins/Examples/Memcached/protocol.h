/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* memcached's text protocol over TCP. Source: doc/protocol.txt of memcached. */
#ifndef MEMCACHED_PROTOCOL_H
#define MEMCACHED_PROTOCOL_H
#include "trove_plugin_kit.h"

typedef enum exchange_result {
  EXCHANGE_OK,        /* an answer is there */
  EXCHANGE_REFUSED,   /* nobody listens */
  EXCHANGE_BUSY,      /* the server takes no more connections */
  EXCHANGE_SILENT,    /* no answer in time */
  EXCHANGE_CANCELLED, /* the call shall stop */
  EXCHANGE_BROKEN     /* anything else; errno says what, 0 for an answer that makes no sense */
} exchange_result;

/* Sends a command (with its line end) on a new connection and reads until a line that begins with one of the words in ends,
   a NULL-terminated list, is whole. At most timeout_ms, and never past the call's own time. out: the answer; the caller's to
   free. */
exchange_result protocol_exchange(trove_call *call, const char *address, int port, const char *command,
                                  const char *const *ends, int timeout_ms, kit_text *out);

/* Fails the call for a result that is not EXCHANGE_OK. */
trove_status protocol_fail(trove_call *call, exchange_result result, const char *what);

#endif
