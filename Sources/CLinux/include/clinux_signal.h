/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as a descriptor, for loops that poll. */
#ifndef CLINUX_SIGNAL_H
#define CLINUX_SIGNAL_H
#include <stddef.h>
#include <stdint.h>

/* Blocks the signals in the calling thread (call it before others are made) and returns a close-on-exec descriptor that is
   readable when one of them is pending, or -errno. Source: signalfd(2). */
int32_t clinux_signal_fd(const int32_t *signals, size_t count);

/* Takes one pending signal: its number, or 0 without one. */
int32_t clinux_read_signal(int32_t fd);

#endif
