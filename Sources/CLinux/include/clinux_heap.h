/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINUX_HEAP_H
#define CLINUX_HEAP_H
#include <malloc.h>
#include <stdint.h>

/* Bytes that the process has allocated and not freed, in all arenas and mapped blocks. Source: mallinfo2(3). */
static inline int64_t clinux_heap_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return (int64_t)(info.uordblks + info.hblkhd);
}
#endif
