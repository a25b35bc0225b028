/* SPDX-License-Identifier: Apache-2.0 */
/* Loops that only call: what a call through a plugin's table costs beside a direct one. */
#ifndef PLUGIN_CALLS_H
#define PLUGIN_CALLS_H
#include <stdint.h>

/* The nanoseconds that `count` direct calls of a function of another object file take. */
int64_t plugin_calls_direct(int64_t count);

/* The same through the table of the library at `path`: its action "nothing", looked up once, its function read from the
   table each time. -1 if there is no such library or action. */
int64_t plugin_calls_table(const char *path, int64_t count);
#endif
