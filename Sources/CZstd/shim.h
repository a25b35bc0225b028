/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TROVE_CZSTD_SHIM_H
#define TROVE_CZSTD_SHIM_H
#include <zstd.h>
#endif
