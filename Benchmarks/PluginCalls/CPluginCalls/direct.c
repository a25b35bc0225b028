/* SPDX-License-Identifier: Apache-2.0 */
#include "direct.h"

trove_status plugin_calls_nothing(trove_call *call, int64_t number, const trove_str *text) {
  (void)call;
  (void)number;
  (void)text;
  return TROVE_OK;
}
