/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "plugin_calls.h"
#include "direct.h"
#include <dlfcn.h>
#include <string.h>
#include <time.h>

typedef trove_status (*nothing_fn)(trove_call *, int64_t, const trove_str *);
typedef const trove_plugin_1 *(*entry_fn)(uint32_t, uint32_t);

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t plugin_calls_direct(int64_t count) {
  trove_str text = {"x", 1};
  int64_t sum = 0, start = now();
  for (int64_t index = 0; index < count; index++) sum += plugin_calls_nothing(NULL, index, &text);
  return now() - start + (sum != 0);
}

int64_t plugin_calls_table(const char *path, int64_t count) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == NULL) return -1;
  entry_fn entry;
  *(void **)&entry = dlsym(library, "trove_plugin_entry");
  const trove_plugin_1 *plugin = entry == NULL ? NULL : entry(TROVE_ABI_MAJOR, TROVE_ABI_MINOR);
  const trove_actions_1 *actions = plugin == NULL ? NULL : plugin->get_extension(TROVE_EXT_ACTIONS);
  const trove_action_1 *action = NULL;
  for (uint32_t index = 0; actions != NULL && index < actions->count; index++)
    if (strcmp(actions->items[index].name, "nothing") == 0) action = &actions->items[index];
  if (action == NULL) return -1;
  const trove_action_1 *volatile table = action;
  trove_str text = {"x", 1};
  int64_t sum = 0, start = now();
  for (int64_t index = 0; index < count; index++) sum += ((nothing_fn)table->fn)(NULL, index, &text);
  return now() - start + (sum != 0);
}
