/* SPDX-License-Identifier: Apache-2.0 */
/* libpq, the engine's client library. Only the engine's own plugins link it. */
#include <libpq-fe.h>
