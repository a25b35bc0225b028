/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* What of memcached may be configured, and the text that carries it from the policy to the guest:
     one `name value` a line, every parameter once. */
#ifndef MEMCACHED_SETTINGS_H
#define MEMCACHED_SETTINGS_H
#include "trove_plugin_kit.h"

#define MEMCACHED_PORT 11211
#define MEMCACHED_PROGRAM "/usr/bin/memcached"
#define MEMCACHED_MEMORY_MB_MINIMUM 64

enum {
  SETTING_CACHE_MB,       /* cache_memlimit: memory for items in MiB */
  SETTING_CONNECTIONS,    /* max_connections */
  SETTING_THREADS,        /* threads */
  SETTING_ITEM_KB,        /* max_item_size_kb */
  SETTING_EVICTIONS,      /* evictions: whether old items make room for new ones */
  SETTING_IDLE_TIMEOUT,   /* idle_timeout: seconds until an idle client is let go, 0 for never */
  SETTING_LOG_WARNINGS,   /* log_warnings: errors and warnings go to the log */
  SETTING_COUNT
};

typedef struct setting {
  const char *name;
  int is_boolean;
  int64_t minimum, maximum; /* of an integer */
  int64_t fallback;         /* -1: derived from the flavor */
  int is_live;              /* the server takes it while it runs */
  const char *summary;
} setting;

extern const setting settings[SETTING_COUNT];

typedef struct settings_values {
  int64_t of[SETTING_COUNT];
} settings_values;

/* What an instance of that much memory starts with. */
settings_values settings_for(int64_t memory_mb);

/* The index of a parameter, -1 for none of that name. */
int settings_find(trove_str name);

/* Takes the values of a JSON object over those in *values; null leaves one alone. Fails with TROVE_INVALID_ARGUMENT naming the
   parameter. An object that is not there changes nothing. */
trove_status settings_override(trove_call *call, trove_str object, settings_values *values);

/* Whether the values can be used together, else TROVE_INVALID_ARGUMENT. */
trove_status settings_check(trove_call *call, const settings_values *values);

/* The text form, and back. */
void settings_write(const settings_values *values, kit_text *out);
trove_status settings_read(trove_call *call, const char *text, settings_values *values);

#endif
