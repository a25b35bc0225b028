/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
#include "settings.h"

const setting settings[SETTING_COUNT] = {
    {"cache_memlimit", 0, 8, 1048576, -1, 1, "memory for items in MiB"},
    {"max_connections", 0, 10, 65000, 1024, 0, "clients at the same time"},
    {"threads", 0, 1, 64, 4, 0, "threads that serve clients"},
    {"max_item_size_kb", 0, 1, 524288, 1024, 0, "the largest item in KiB; at most half of cache_memlimit"},
    {"evictions", 1, 0, 1, 1, 0, "whether old items make room for new ones; else a full cache refuses them"},
    {"idle_timeout", 0, 0, 86400, 0, 0, "seconds until an idle client is let go; 0 for never"},
    {"log_warnings", 1, 0, 1, 0, 1, "whether errors and warnings are logged"},
};

settings_values settings_for(int64_t memory_mb) {
  settings_values values;
  for (int index = 0; index < SETTING_COUNT; index++) values.of[index] = settings[index].fallback;
  /* The rest is for connections, the hash table and the server itself. */
  values.of[SETTING_CACHE_MB] = memory_mb * 3 / 4;
  return values;
}

int settings_find(trove_str name) {
  for (int index = 0; index < SETTING_COUNT; index++)
    if (strlen(settings[index].name) == name.len && memcmp(settings[index].name, name.ptr, name.len) == 0) return index;
  return -1;
}

static int is(trove_str value, const char *word) { return value.len == strlen(word) && memcmp(value.ptr, word, value.len) == 0; }

static trove_status take(trove_call *call, int index, trove_str value, settings_values *values) {
  const setting *it = &settings[index];
  int64_t number;
  if (it->is_boolean) {
    if (!is(value, "true") && !is(value, "false"))
      return kit_fail(call, TROVE_INVALID_ARGUMENT, "%s must be true or false", it->name);
    values->of[index] = is(value, "true");
    return TROVE_OK;
  }
  if (!kit_json_int(value, &number) || number < it->minimum || number > it->maximum)
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "%s must be an integer from %lld to %lld", it->name,
                    (long long)it->minimum, (long long)it->maximum);
  values->of[index] = number;
  return TROVE_OK;
}

trove_status settings_override(trove_call *call, trove_str object, settings_values *values) {
  trove_str name, value;
  const char *at = object.ptr;
  if (object.ptr == NULL) return TROVE_OK;
  while (kit_json_next(object, &at, &name, &value)) {
    int index = settings_find(name);
    if (index < 0)
      return kit_fail(call, TROVE_INVALID_ARGUMENT, "there is no parameter '%.*s'", (int)(name.len > 64 ? 64 : name.len),
                      name.ptr);
    if (is(value, "null")) continue;
    trove_status status = take(call, index, value, values);
    if (status != TROVE_OK) return status;
  }
  return TROVE_OK;
}

trove_status settings_check(trove_call *call, const settings_values *values) {
  /* Source: memcached.c, "Cannot set item size limit higher than 1/2 of memory max." */
  if (values->of[SETTING_ITEM_KB] * 2 > values->of[SETTING_CACHE_MB] * 1024)
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "max_item_size_kb must be at most half of cache_memlimit, %lld here",
                    (long long)values->of[SETTING_CACHE_MB] * 512);
  return TROVE_OK;
}

void settings_write(const settings_values *values, kit_text *out) {
  for (int index = 0; index < SETTING_COUNT; index++) {
    kit_add(out, settings[index].name);
    kit_add(out, " ");
    kit_int(out, values->of[index]);
    kit_add(out, "\n");
  }
}

trove_status settings_read(trove_call *call, const char *text, settings_values *values) {
  int seen[SETTING_COUNT] = {0};
  for (const char *line = text; *line != 0; line += strcspn(line, "\n"), line += *line == '\n') {
    trove_str name = {line, strcspn(line, " \n")};
    int index = settings_find(name);
    char *stop;
    if (index < 0 || line[name.len] != ' ')
      return kit_fail(call, TROVE_INVALID_ARGUMENT, "the configuration has a line that is no parameter");
    values->of[index] = strtoll(line + name.len + 1, &stop, 10);
    if (*stop != '\n' || values->of[index] < settings[index].minimum || values->of[index] > settings[index].maximum)
      return kit_fail(call, TROVE_INVALID_ARGUMENT, "the configuration's %s is out of range", settings[index].name);
    seen[index] = 1;
  }
  for (int index = 0; index < SETTING_COUNT; index++)
    if (!seen[index]) return kit_fail(call, TROVE_INVALID_ARGUMENT, "the configuration has no %s", settings[index].name);
  return TROVE_OK;
}
