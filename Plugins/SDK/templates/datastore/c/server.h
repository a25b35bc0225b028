/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* Talking to the server over TCP. */
#ifndef SERVER_H
#define SERVER_H
#include "trove_plugin_kit.h"

/* Sends a command and reads the answer until `end` stands in it; at most timeout_ms, never past the call's time.
   TROVE_UNAVAILABLE: nobody listens. TROVE_TIMED_OUT, TROVE_CANCELLED, TROVE_INTERNAL: as they say. Records nothing. */
trove_status server_ask(trove_call *call, const char *address, int port, const char *command, const char *end,
                        int timeout_ms, char *answer, size_t capacity);

#endif
