/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* Byte streams that the host hands to a plugin. */
#ifndef TROVE_STREAM_H
#define TROVE_STREAM_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

/* Bytes to read. Valid during the call that received it. fd >= 0 is the same stream as a descriptor, to hand to a child
   process; use read or fd, not both, and do not close it. */
typedef struct trove_istream_1 {
  uint32_t size; /* sizeof(trove_istream_1) */
  int32_t fd;
  void *ctx; /* the host's */
  /* Bytes read into buffer, 0 at the end, -1 on an error or cancellation. Blocks. [call] */
  int64_t (*read)(const struct trove_istream_1 *stream, void *buffer, size_t capacity);
} trove_istream_1;

/* A place for bytes. Valid during the call that received it. fd as above. */
typedef struct trove_ostream_1 {
  uint32_t size; /* sizeof(trove_ostream_1) */
  int32_t fd;
  void *ctx; /* the host's */
  /* Bytes taken, possibly fewer than len, -1 on an error or cancellation. Blocks while the receiver is slow. [call] */
  int64_t (*write)(const struct trove_ostream_1 *stream, const void *data, size_t len);
} trove_ostream_1;

#ifdef __cplusplus
}
#endif
#endif
