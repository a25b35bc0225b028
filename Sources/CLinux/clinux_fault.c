/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "clinux_fault.h"

#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAX_RANGES = 512, MAX_ID = 256, STACK_BYTES = 64 * 1024, MAX_FRAMES = 96 };

typedef struct {
  uintptr_t start, end;
  char id[MAX_ID];
} range;

static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGABRT, SIGFPE, SIGTRAP};
enum { FATAL_COUNT = sizeof fatal / sizeof *fatal };

static range ranges[MAX_RANGES];
static atomic_int range_count; /* published after the entry is complete */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction previous[FATAL_COUNT];
static atomic_int installed;
static atomic_int report = -1;
static __thread const char *running;
static __thread void *stack;

int32_t clinux_fault_lookup(const void *address) {
  uintptr_t wanted = (uintptr_t)address;
  int count = atomic_load_explicit(&range_count, memory_order_acquire);
  for (int i = 0; i < count; i++)
    if (wanted >= ranges[i].start && wanted < ranges[i].end) return i;
  return -1;
}

static const void *program_counter(const void *context) {
  const ucontext_t *user = context;
#if defined(__x86_64__)
  return (const void *)user->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  return (const void *)user->uc_mcontext.pc;
#else
#error "no program counter for this architecture"
#endif
}

static const char *blame(const void *context) {
  int32_t found = clinux_fault_lookup(program_counter(context));
  if (found >= 0) return ranges[found].id;
  void *frames[MAX_FRAMES];
  int count = backtrace(frames, MAX_FRAMES);
  for (int i = 0; i < count; i++) {
    /* A return address may lie one past the last byte of its library. */
    found = clinux_fault_lookup((const char *)frames[i] - 1);
    if (found >= 0) return ranges[found].id;
  }
  return running;
}

static size_t append(char *line, size_t at, size_t size, const char *text) {
  while (*text != '\0' && at < size) line[at++] = *text++;
  return at;
}

static size_t append_number(char *line, size_t at, size_t size, int number) {
  char digits[12];
  size_t count = 0;
  do {
    digits[count++] = (char)('0' + number % 10);
    number /= 10;
  } while (number > 0);
  while (count > 0 && at < size) line[at++] = digits[--count];
  return at;
}

static void put(int fd, const char *line, size_t size) {
  while (size > 0) {
    ssize_t done = write(fd, line, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return;
    line += done;
    size -= (size_t)done;
  }
}

static void on_fatal(int number, siginfo_t *info, void *context) {
  int saved = errno;
  const char *id = blame(context);
  char line[MAX_ID + 64];
  size_t size = append(line, 0, sizeof line, "trove: fatal signal ");
  size = append_number(line, size, sizeof line, number);
  if (id != NULL) {
    size = append(line, size, sizeof line, " in plugin '");
    size = append(line, size, sizeof line, id);
    size = append(line, size, sizeof line, "'");
  }
  size = append(line, size, sizeof line, "\n");
  put(STDERR_FILENO, line, size);

  int fd = atomic_load(&report);
  if (fd >= 0) {
    size = append_number(line, 0, sizeof line, number);
    size = append(line, size, sizeof line, " ");
    if (id != NULL) size = append(line, size, sizeof line, id);
    size = append(line, size, sizeof line, "\n");
    put(fd, line, size);
  }

  for (int i = 0; i < FATAL_COUNT; i++)
    if (fatal[i] == number) sigaction(number, &previous[i], NULL);
  /* A fault recurs by itself when this returns; a signal that was sent does not. */
  if (info->si_code <= 0) raise(number);
  errno = saved;
}

int clinux_fault_install(int32_t report_fd) {
  if (report_fd >= 0) atomic_store(&report, report_fd);
  if (atomic_exchange(&installed, 1)) return 0;
  /* The first call loads the unwinder, which allocates: not for a handler. */
  void *frames[4];
  (void)backtrace(frames, 4);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_fatal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (int i = 0; i < FATAL_COUNT; i++)
    if (sigaction(fatal[i], &action, &previous[i]) != 0) return errno;
  return 0;
}

typedef struct {
  uintptr_t wanted;
  const char *id;
  int result;
} search;

static int visit(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  search *query = data;
  int holds = 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_LOAD && query->wanted >= start && query->wanted < start + header->p_memsz) holds = 1;
  }
  if (!holds) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *header = &info->dlpi_phdr[i];
    if (header->p_type != PT_LOAD) continue;
    int count = atomic_load(&range_count);
    if (count == MAX_RANGES) {
      query->result = ENOSPC;
      return 1;
    }
    ranges[count].start = info->dlpi_addr + header->p_vaddr;
    ranges[count].end = ranges[count].start + header->p_memsz;
    strcpy(ranges[count].id, query->id);
    atomic_store_explicit(&range_count, count + 1, memory_order_release);
  }
  query->result = 0;
  return 1;
}

int clinux_fault_register(const char *id, const void *address) {
  if (strlen(id) >= MAX_ID) return EINVAL;
  pthread_mutex_lock(&lock);
  search query = {(uintptr_t)address, id, ENOENT};
  if (clinux_fault_lookup(address) >= 0)
    query.result = 0;
  else
    dl_iterate_phdr(visit, &query);
  pthread_mutex_unlock(&lock);
  return query.result;
}

int clinux_fault_thread_begin(void) {
  if (stack != NULL) return 0;
  void *memory = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (memory == MAP_FAILED) return errno;
  stack_t alternate = {.ss_sp = memory, .ss_size = STACK_BYTES, .ss_flags = 0};
  if (sigaltstack(&alternate, NULL) != 0) {
    int error = errno;
    munmap(memory, STACK_BYTES);
    return error;
  }
  stack = memory;
  return 0;
}

void clinux_fault_thread_end(void) {
  if (stack == NULL) return;
  stack_t none = {.ss_sp = NULL, .ss_size = 0, .ss_flags = SS_DISABLE};
  sigaltstack(&none, NULL);
  munmap(stack, STACK_BYTES);
  stack = NULL;
}

const char *clinux_fault_enter(const char *id) {
  const char *before = running;
  running = id;
  return before;
}
