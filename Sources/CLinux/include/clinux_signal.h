/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as a descriptor, for loops that poll. */
#ifndef CLINUX_SIGNAL_H
#define CLINUX_SIGNAL_H
#include <stddef.h>
#include <stdint.h>

/* Catches the signals, whichever thread they are delivered to, and returns a close-on-exec descriptor that is readable when
   one has come, or -errno. Once a process. Source: sigaction(2), signal-safety(7). */
int32_t clinux_signal_fd(const int32_t *signals, size_t count);

/* Takes one signal that has come: its number, or 0 without one. */
int32_t clinux_read_signal(int32_t fd);

#endif
