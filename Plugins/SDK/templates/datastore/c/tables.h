/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The tables that this plugin offers. */
#ifndef TABLES_H
#define TABLES_H
#include "trove_datastore.h"
#include "trove_datastore_policy.h"

#define SERVER_PROGRAM "/usr/bin/memcached"
#define SERVER_PORT 11211
#define MEMORY_MB_MINIMUM 64

extern const trove_datastore_1 datastore_table;
extern const trove_datastore_policy_1 policy_table;

#endif
