/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLINUX_THREAD_H
#define CLINUX_THREAD_H
#include <signal.h>
#include <sys/prctl.h>

/* Names the calling thread for ps(1) and gdb(1); what is longer than 15 bytes is cut. Source: PR_SET_NAME(2const). */
static inline void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

/* Has the kernel kill this process when the thread that started it ends. 0 or -1. Source: PR_SET_PDEATHSIG(2const). */
static inline int clinux_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); }

#endif
