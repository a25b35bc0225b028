/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes with confinement, and handles on processes that cannot be mistaken for others. */
#ifndef CLINUX_PROCESS_H
#define CLINUX_PROCESS_H
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How to start a program. Every pointer is borrowed for the call. Zero-initialise, then set what is needed. */
typedef struct clinux_spawn {
  const char *const *argv;  /* NULL-terminated; argv[0] is the absolute path of the program */
  const char *const *envp;  /* NULL-terminated; the child's whole environment */
  const char *directory;    /* working directory, NULL: "/" */
  int32_t stdin_fd;         /* given to the child as 0; -1: /dev/null */
  int32_t stdout_fd;        /* as 1; -1: /dev/null */
  int32_t stderr_fd;        /* as 2; -1: /dev/null */
  const int32_t *extra_fds; /* given to the child as 3, 4, ...; all other descriptors are closed */
  size_t extra_count;
  const int32_t *cgroup_fds; /* open, writable cgroup.procs files that the child joins before exec */
  size_t cgroup_count;
  int32_t set_ids;           /* non-zero: drop to uid and gid without supplementary groups, set no_new_privs */
  uint32_t uid, gid;
  int32_t new_session;       /* non-zero: setsid, else the child leads a new process group */
  int32_t detach;            /* non-zero: double fork, so that the child is not the caller's to reap; implies new_session */
  uint32_t umask;            /* file mode mask; 0: 077 */
} clinux_spawn;

/* Starts a program. Signal masks and handlers are reset in the child. Blocks until exec succeeded or failed.
   Returns 0 and fills *pid and *pidfd (close-on-exec, the caller's to close), or an errno of the step that failed.
   Source: clone(2), pidfd_open(2), execve(2). */
int clinux_spawn_process(const clinux_spawn *options, pid_t *pid, int32_t *pidfd);

/* A descriptor for the process, readable when it ends; -errno without one. Source: pidfd_open(2). */
int32_t clinux_pidfd_open(pid_t pid);

/* Sends a signal through a pidfd; 0 or an errno. Source: pidfd_send_signal(2). */
int clinux_pidfd_signal(int32_t pidfd, int32_t signal);

/* Start time in clock ticks since boot and the state letter of a process; 0, or an errno. A zombie has state 'Z'.
   Source: proc_pid_stat(5), fields 22 and 3. */
int clinux_process_stat(pid_t pid, uint64_t *start_time, char *state);

/* Waits for a child through its pidfd. timeout_ms -1: for ever. Returns 0 and a wait status as of waitpid(2) in *status
   (-1 when the process is not a child of the caller: its exit status is unknown), ETIMEDOUT, or an errno. */
int clinux_pidfd_wait(int32_t pidfd, int32_t timeout_ms, int32_t *status);

/* WIFEXITED/WEXITSTATUS and WIFSIGNALED/WTERMSIG as functions: -1 when it does not apply. */
int32_t clinux_exit_code(int32_t status);
int32_t clinux_term_signal(int32_t status);

/* Makes the calling process adopt orphaned descendants. 0 or an errno. Source: PR_SET_CHILD_SUBREAPER(2const). */
int clinux_become_subreaper(void);

#endif
