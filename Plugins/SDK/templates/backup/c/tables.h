/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The table that this plugin offers. */
#ifndef TABLES_H
#define TABLES_H
#include "trove_backup.h"

extern const trove_backup_1 backup_table;

#endif
