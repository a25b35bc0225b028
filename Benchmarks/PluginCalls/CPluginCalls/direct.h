/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PLUGIN_CALLS_DIRECT_H
#define PLUGIN_CALLS_DIRECT_H
#include "trove_actions.h"

/* In a file of its own, so that it is called and not inlined. */
trove_status plugin_calls_nothing(trove_call *call, int64_t number, const trove_str *text);
#endif
