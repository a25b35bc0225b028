/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that glibc declares under _GNU_SOURCE alone. */
#ifndef CLINUX_DESCRIPTOR_H
#define CLINUX_DESCRIPTOR_H
#include <stdint.h>

/* A counter that becomes readable when something is written to it; close-on-exec, does not block. -errno without one.
   Source: eventfd(2). */
int32_t clinux_eventfd(void);

/* An unnamed file in memory, close-on-exec. -errno without one. Source: memfd_create(2). */
int32_t clinux_memfd(const char *name);

/* The reading end in ends[0], the writing end in ends[1]; both close-on-exec. 0 or an errno. Source: pipe2(2). */
int clinux_pipe(int32_t ends[2]);

#endif
