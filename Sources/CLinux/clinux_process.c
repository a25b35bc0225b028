/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "clinux_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#if defined(__x86_64__) || defined(__aarch64__)
#define CAN_CLONE_INTO_GROUP 1
#else
#define CAN_CLONE_INTO_GROUP 0
#endif
#define UNIFIED_GROUP_MAGIC 0x63677270 /* CGROUP2_SUPER_MAGIC of linux/magic.h */

/* The child runs on memory shared with the suspended caller (as vfork(2) has it), so it may report its error there, and
   must use system calls alone: glibc's setresuid(), for example, would change every thread of the caller. */

enum { child_stack_bytes = 64 * 1024, first_descriptor_count = 3, kernel_signal_bytes = 8, last_signal = 64 };

/* The kernel's own form of a signal action; all zero is SIG_DFL. Source: rt_sigaction(2). */
typedef struct kernel_sigaction {
  void *handler;
  unsigned long flags;
  void *restorer;
  unsigned long mask;
} kernel_sigaction;

typedef struct spawn_state {
  const clinux_spawn *options;
  int32_t *duplicates; /* descriptors 0, 1, 2, ... of the child before they are moved to their place */
  char *inner_stack;   /* for the second clone of a detached child */
  int32_t *groups;     /* written by the child to join: the options' cgroup_fds, or cheaper files of the same groups */
  size_t group_count;
  int32_t born_in;       /* directory of the unified group that the child is made in; -1: none */
  int32_t born_in_procs; /* the caller's cgroup.procs of that group */
  pid_t pid;
  int pidfd;
  volatile int error;
} spawn_state;

static int child_join_groups(const spawn_state *state) {
  for (size_t i = 0; i < state->group_count; i++) {
    ssize_t written;
    do {
      written = write(state->groups[i], "0", 1);
    } while (written < 0 && errno == EINTR);
    if (written != 1) return errno;
  }
  return 0;
}

static int32_t child_source(const clinux_spawn *o, size_t index) {
  switch (index) {
  case 0: return o->stdin_fd;
  case 1: return o->stdout_fd;
  case 2: return o->stderr_fd;
  default: return o->extra_fds[index - first_descriptor_count];
  }
}

/* Two passes, so that a source whose number is another's place is not overwritten before it is used. */
static int child_place_descriptors(const spawn_state *state) {
  const clinux_spawn *o = state->options;
  size_t count = first_descriptor_count + o->extra_count;
  for (size_t i = 0; i < count; i++) {
    int32_t source = child_source(o, i);
    int32_t opened = -1;
    if (source < 0) {
      if (i >= first_descriptor_count) return EBADF;
      opened = open("/dev/null", (i == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
      if (opened < 0) return errno;
      source = opened;
    }
    state->duplicates[i] = fcntl(source, F_DUPFD_CLOEXEC, (int)count);
    if (state->duplicates[i] < 0) return errno;
    if (opened >= 0) close(opened);
  }
  for (size_t i = 0; i < count; i++)
    if (dup2(state->duplicates[i], (int)i) < 0) return errno;
  if (syscall(SYS_close_range, (unsigned)count, UINT_MAX, 0) != 0) return errno;
  return 0;
}

static int child_drop_ids(const clinux_spawn *o) {
  if (syscall(SYS_setgroups, 0, NULL) != 0) return errno;
  if (syscall(SYS_setresgid, o->gid, o->gid, o->gid) != 0) return errno;
  if (syscall(SYS_setresuid, o->uid, o->uid, o->uid) != 0) return errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return 0;
}

static void child_reset_signals(void) {
  kernel_sigaction action;
  memset(&action, 0, sizeof action);
  for (int number = 1; number <= last_signal; number++)
    syscall(SYS_rt_sigaction, number, &action, NULL, kernel_signal_bytes); /* KILL and STOP refuse: nothing to reset */
  unsigned long none = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, kernel_signal_bytes);
}

static int child_setup(const spawn_state *state) {
  const clinux_spawn *o = state->options;
  if (o->new_session || o->detach) {
    if (setsid() < 0) return errno;
  } else if (setpgid(0, 0) != 0) {
    return errno;
  }
  int error = child_join_groups(state);
  if (error == 0) error = child_place_descriptors(state);
  if (error == 0 && o->set_ids) error = child_drop_ids(o);
  if (error != 0) return error;
  umask(o->umask != 0 ? o->umask : 077);
  if (chdir(o->directory != NULL ? o->directory : "/") != 0) return errno;
  return 0;
}

/* Not inlined: where the child shares the caller's stack, only frames below the caller's may be written. */
static __attribute__((noinline)) int child_main(void *argument) {
  spawn_state *state = argument;
  const clinux_spawn *o = state->options;
  state->error = child_setup(state);
  if (state->error == 0) {
    child_reset_signals();
    execve(o->argv[0], (char *const *)o->argv, (char *const *)o->envp);
    state->error = errno;
  }
  syscall(SYS_exit_group, 127);
  __builtin_unreachable();
}

#if defined(__x86_64__)
static inline __attribute__((always_inline)) long raw_clone3(struct clone_args *arguments) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"((long)SYS_clone3), "D"(arguments), "S"(sizeof *arguments)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static inline __attribute__((always_inline)) long raw_clone3(struct clone_args *arguments) {
  register long result __asm__("x0") = (long)arguments;
  register long size __asm__("x1") = sizeof *arguments;
  register long number __asm__("x8") = SYS_clone3;
  __asm__ volatile("svc 0" : "+r"(result) : "r"(size), "r"(number) : "memory");
  return result;
}
#else
static inline long raw_clone3(struct clone_args *arguments) {
  (void)arguments;
  return -ENOSYS;
}
#endif

/* Makes the child in its unified group, on the caller's own stack as vfork(2) does: the child never returns from here, so
   it leaves the caller's frame alone. The system call must be inline: the child would otherwise overwrite its return address. */
static __attribute__((noinline)) long clone_into_group(spawn_state *state, int *pidfd) {
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_INTO_CGROUP;
  arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = (uint64_t)state->born_in;
  long pid = raw_clone3(&arguments);
  if (pid == 0) child_main(state);
  return pid;
}

/* The child's pid, or a negative errno. */
static pid_t clone_child(spawn_state *state, char *stack, int *pidfd) {
  if (state->born_in >= 0) {
    long made = clone_into_group(state, pidfd);
    if (made != -ENOSYS && made != -EPERM && made != -EINVAL) return (pid_t)made;
    /* A kernel or a container's filter without clone3: join as given. */
    state->groups[state->group_count++] = fcntl(state->born_in_procs, F_DUPFD_CLOEXEC, 0);
  }
  pid_t pid = clone(child_main, stack + child_stack_bytes, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, state, pidfd);
  return pid < 0 ? -errno : pid;
}

/* Shares the caller's descriptor table, so the pidfd that its own clone makes is the caller's at once: no moment in
   which the number could belong to another process. */
static int middle_main(void *argument) {
  spawn_state *state = argument;
  int pidfd = -1;
  pid_t pid = clone_child(state, state->inner_stack, &pidfd);
  if (pid < 0) {
    state->error = -pid;
  } else {
    state->pid = pid;
    state->pidfd = pidfd;
  }
  syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}

static void reap(pid_t pid) {
  while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR) {
  }
}

static int spawn_on_stacks(spawn_state *state, char *stacks) {
  state->inner_stack = stacks + child_stack_bytes;
  if (state->options->detach) {
    pid_t middle = clone(middle_main, stacks + child_stack_bytes, CLONE_VM | CLONE_VFORK | CLONE_FILES, state);
    if (middle < 0) return errno;
    reap(middle);
  } else {
    int pidfd = -1;
    pid_t pid = clone_child(state, stacks, &pidfd);
    if (pid < 0) return -pid;
    state->pid = pid;
    state->pidfd = pidfd;
    if (state->error != 0) reap(pid);
  }
  if (state->error != 0 && state->pidfd >= 0) close(state->pidfd);
  return state->error;
}

/* A child that changes ids makes the memory it shares with the caller undumpable, which keeps the new uid from tracing
   it before exec. Afterwards the caller gets its state back; one at a time, so that nobody restores it too early. */
static pthread_mutex_t ids_mutex = PTHREAD_MUTEX_INITIALIZER;

static int spawn_with_ids(spawn_state *state, char *stacks) {
  pthread_mutex_lock(&ids_mutex);
  int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
  int error = spawn_on_stacks(state, stacks);
  if (dumpable == 1) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  pthread_mutex_unlock(&ids_mutex);
  return error;
}

/* Opens another file of the group whose cgroup.procs `fd` is; name NULL: its directory. */
static int32_t open_in_group(int32_t fd, const char *name) {
  static const char procs[] = "/cgroup.procs";
  char link[32], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  size_t tail = sizeof procs - 1;
  if (length <= (ssize_t)tail || memcmp(path + length - tail, procs, tail) != 0) return -1;
  path[(size_t)length - tail] = 0;
  if (name == NULL) return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if ((size_t)length - tail + strlen(name) + 2 > sizeof path) return -1;
  strcat(strcat(path, "/"), name);
  return open(path, O_WRONLY | O_CLOEXEC);
}

/* Joining through cgroup.procs waits for an RCU grace period (some 20 ms) in each call, for the sake of processes with
   several threads. A child of one thread needs that nowhere: it is made in its unified group (CLONE_INTO_CGROUP), and joins
   version 1 groups through `tasks`, which moves the calling thread alone. What cannot be had so is joined as given. */
static void prepare_groups(spawn_state *state) {
  const clinux_spawn *o = state->options;
  for (size_t i = 0; i < o->cgroup_count; i++) {
    struct statfs info;
    bool is_unified = fstatfs(o->cgroup_fds[i], &info) == 0 && info.f_type == UNIFIED_GROUP_MAGIC;
    if (is_unified && CAN_CLONE_INTO_GROUP && state->born_in < 0) {
      state->born_in = open_in_group(o->cgroup_fds[i], NULL);
      state->born_in_procs = o->cgroup_fds[i];
      if (state->born_in >= 0) continue;
    }
    int32_t tasks = is_unified ? -1 : open_in_group(o->cgroup_fds[i], "tasks");
    state->groups[state->group_count++] = tasks >= 0 ? tasks : fcntl(o->cgroup_fds[i], F_DUPFD_CLOEXEC, 0);
  }
}

static void release_groups(spawn_state *state) {
  for (size_t i = 0; i < state->group_count; i++)
    if (state->groups[i] >= 0) close(state->groups[i]);
  if (state->born_in >= 0) close(state->born_in);
}

int clinux_spawn_process(const clinux_spawn *options, pid_t *pid, int32_t *pidfd) {
  if (options->argv == NULL || options->argv[0] == NULL || options->argv[0][0] != '/' || options->envp == NULL)
    return EINVAL;
  spawn_state state = {.options = options, .born_in = -1, .born_in_procs = -1, .pid = -1, .pidfd = -1};
  size_t numbers = first_descriptor_count + options->extra_count + options->cgroup_count;
  state.duplicates = calloc(numbers, sizeof *state.duplicates);
  if (state.duplicates == NULL) return ENOMEM;
  state.groups = state.duplicates + first_descriptor_count + options->extra_count;
  size_t stack_bytes = 2 * (size_t)child_stack_bytes;
  char *stacks = mmap(NULL, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stacks == MAP_FAILED) {
    free(state.duplicates);
    return ENOMEM;
  }
  prepare_groups(&state);
  /* The raw call also blocks glibc's own signals, which a handler of the child must not answer in shared memory. */
  unsigned long all = ~0UL, saved = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &saved, kernel_signal_bytes);
  int error = options->set_ids ? spawn_with_ids(&state, stacks) : spawn_on_stacks(&state, stacks);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &saved, NULL, kernel_signal_bytes);
  release_groups(&state);
  munmap(stacks, stack_bytes);
  free(state.duplicates);
  if (error != 0) return error;
  *pid = state.pid;
  *pidfd = state.pidfd;
  return 0;
}

int32_t clinux_pidfd_open(pid_t pid) {
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd >= 0 ? (int32_t)fd : -errno;
}

int clinux_pidfd_signal(int32_t pidfd, int32_t signal) {
  return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : errno;
}

int clinux_process_stat(pid_t pid, uint64_t *start_time, char *state) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? ESRCH : errno;
  ssize_t length;
  do {
    length = read(fd, text, sizeof text - 1);
  } while (length < 0 && errno == EINTR);
  int error = errno;
  close(fd);
  if (length < 0) return error;
  text[length] = 0;
  /* The name in parentheses may itself hold blanks and parentheses: fields count from the last one. */
  const char *field = strrchr(text, ')');
  if (field == NULL || field[1] != ' ') return EPROTO;
  field += 2;
  *state = *field;
  for (int number = 3; number < 22; number++) {
    field = strchr(field, ' ');
    if (field == NULL) return EPROTO;
    field++;
  }
  *start_time = strtoull(field, NULL, 10);
  return 0;
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_readable(int32_t fd, int32_t timeout_ms) {
  int64_t deadline = timeout_ms < 0 ? 0 : now_ms() + timeout_ms;
  for (;;) {
    int64_t left = timeout_ms < 0 ? -1 : deadline - now_ms();
    if (timeout_ms >= 0 && left < 0) left = 0;
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    int ready = poll(&entry, 1, (int)left);
    if (ready > 0) return (entry.revents & POLLNVAL) ? EBADF : 0;
    if (ready == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

int clinux_pidfd_wait(int32_t pidfd, int32_t timeout_ms, int32_t *status) {
  int error = wait_readable(pidfd, timeout_ms);
  if (error != 0) return error;
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int result;
  do {
    result = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
  } while (result < 0 && errno == EINTR);
  if (result < 0) {
    if (errno != ECHILD) return errno;
    *status = -1;
    return 0;
  }
  switch (info.si_code) {
  case CLD_EXITED: *status = (info.si_status & 0xff) << 8; break;
  case CLD_DUMPED: *status = info.si_status | 0x80; break;
  default: *status = info.si_status; break;
  }
  return 0;
}

int32_t clinux_exit_code(int32_t status) { return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

int32_t clinux_term_signal(int32_t status) { return status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : -1; }

int clinux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 ? 0 : errno; }
