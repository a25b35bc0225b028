/* SPDX-License-Identifier: Apache-2.0 */
/* Names the plugin that a fatal signal came from. It does not survive the signal: the fault recurs under the handler that
   was there before. */
#ifndef CLINUX_FAULT_H
#define CLINUX_FAULT_H
#include <stdint.h>

/* Installs one handler for SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGFPE and SIGTRAP, once a process. It writes
   "trove: fatal signal N in plugin '<id>'" to standard error. report_fd: also gets "N <id>\n" ("N \n" when no plugin is
   to blame); -1: nowhere. The descriptor stays the caller's. A repeat only changes report_fd, unless it is -1. 0 or an errno.
   Source: sigaction(2), backtrace(3). */
int clinux_fault_install(int32_t report_fd);

/* Remembers the load ranges of the library that holds address under an id (at most 255 bytes, printable). For ever:
   libraries are never unloaded. 0, ENOENT without such a library, ENOSPC, EINVAL. Source: dl_iterate_phdr(3). */
int clinux_fault_register(const char *id, const void *address);

/* Gives the calling thread an alternate signal stack, so that an overflow of its own stack is reported too. 0 or an
   errno. Released by clinux_fault_thread_end. Source: sigaltstack(2). */
int clinux_fault_thread_begin(void);
void clinux_fault_thread_end(void);

/* Says whose code the calling thread runs now; NULL: nobody's. Used when neither the faulting address nor a caller's
   lies in a registered library. id must live until the next call. Returns the id before. */
const char *clinux_fault_enter(const char *id);

/* Index into the table of registered ids of the library that holds address, or -1. For tests and diagnostics. */
int32_t clinux_fault_lookup(const void *address);

#endif
