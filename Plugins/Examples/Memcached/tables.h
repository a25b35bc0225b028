/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The two tables that this plugin offers. */
#ifndef MEMCACHED_TABLES_H
#define MEMCACHED_TABLES_H
#include "trove_datastore.h"
#include "trove_datastore_policy.h"

extern const trove_datastore_1 memcached_datastore;
extern const trove_datastore_policy_1 memcached_policy;

#endif
