/* SPDX-License-Identifier: Apache-2.0 */
/* The RESP client library hiredis (BSD-3-Clause). Only plugins link it. */
#include <hiredis/hiredis.h>
