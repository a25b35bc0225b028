/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* Answers from a thread of its own: for measuring how many operations a host can have open at once. */
#include "trove_actions.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
  struct job *next;
  trove_call *call;
  int64_t value;
} job;

static const trove_host_1 *host;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static job *first, **last = &first;
static int is_running, is_ending;

static void *answer(void *unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  while (!is_ending || first != NULL) {
    job *one = first;
    if (one == NULL) {
      pthread_cond_wait(&changed, &mutex);
      continue;
    }
    first = one->next;
    if (first == NULL) last = &first;
    pthread_mutex_unlock(&mutex);
    char text[32];
    int count = snprintf(text, sizeof text, "%lld", (long long)one->value);
    trove_status status = host->emit(one->call, text, (size_t)count);
    host->complete(one->call, status);
    free(one);
    pthread_mutex_lock(&mutex);
  }
  pthread_mutex_unlock(&mutex);
  return NULL;
}

static trove_status later(trove_call *call, int64_t value) {
  job *one = malloc(sizeof *one);
  if (one == NULL) return TROVE_EXHAUSTED;
  *one = (job){NULL, call, value};
  pthread_mutex_lock(&mutex);
  if (!is_running) is_running = pthread_create(&thread, NULL, answer, NULL) == 0;
  if (!is_running) {
    pthread_mutex_unlock(&mutex);
    free(one);
    return TROVE_EXHAUSTED;
  }
  *last = one;
  last = &one->next;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
  return TROVE_PENDING;
}

static trove_status nothing(trove_call *call, int64_t number, const trove_str *text) {
  (void)call;
  (void)number;
  (void)text;
  return TROVE_OK;
}

static const trove_arg_1 later_args[] = {{"value", TROVE_T_I64, 0, "what is answered"}};
static const trove_arg_1 nothing_args[] = {
    {"number", TROVE_T_I64, 0, "any number"}, {"text", TROVE_T_STR, 0, "any text"}};
static const trove_action_1 items[] = {
    {sizeof(trove_action_1), TROVE_ACTION_READ_ONLY, "later", "Answers from another thread", later_args, 1, 0,
     TROVE_TYPED_FN(later, trove_status (*)(trove_call *, int64_t)), NULL},
    {sizeof(trove_action_1), TROVE_ACTION_READ_ONLY, "nothing", "Does nothing", nothing_args, 2, 0,
     TROVE_TYPED_FN(nothing, trove_status (*)(trove_call *, int64_t, const trove_str *)), NULL}};
static const trove_actions_1 actions = {sizeof(trove_actions_1), 2, items};

static trove_status init(const trove_host_1 *table) {
  host = table;
  return TROVE_OK;
}

static void deinit(void) {
  pthread_mutex_lock(&mutex);
  is_ending = 1;
  int was_running = is_running;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
  if (was_running) pthread_join(thread, NULL);
}

static const void *get_extension(const char *id) { return strcmp(id, TROVE_EXT_ACTIONS) == 0 ? &actions : NULL; }

static const trove_plugin_1 plugin = {sizeof(trove_plugin_1), TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0,
                                      "org.trove.bench.c", "1.0.0", init, deinit, get_extension};

TROVE_EXPORT const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == TROVE_ABI_MAJOR ? &plugin : NULL;
}
