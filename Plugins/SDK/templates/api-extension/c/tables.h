/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The table that this plugin offers. */
#ifndef TABLES_H
#define TABLES_H
#include "trove_api_extension.h"

extern const trove_api_extension_1 extension_table;

#endif
