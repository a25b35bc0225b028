/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* One memcached instance, as its guest agent drives it. It keeps nothing on disk, so what it cannot do (users, databases, root,
   backups, templates) is NULL in the table, and the host answers for it. */
#include "protocol.h"
#include "settings.h"
#include "tables.h"
#include <poll.h>

typedef struct instance {
  char *address, *settings_path;
  int port;
  int64_t uid;
} instance;

static void close_instance(void *self) {
  instance *it = self;
  if (it == NULL) return;
  free(it->address);
  free(it->settings_path);
  free(it);
}

static trove_status open_instance(trove_call *call, trove_str config, void **self) {
  int64_t port;
  trove_status expected = kit_expect(call, config, "instance_id s, address s, port i, data_dir s, state_dir s, uid i, gid i");
  if (expected != TROVE_OK) return expected;
  instance *it = calloc(1, sizeof *it);
  if (it == NULL) return kit_fail(call, TROVE_EXHAUSTED, "out of memory");
  char *state = kit_member_text(config, "state_dir");
  it->address = kit_member_text(config, "address");
  if (state != NULL) {
    size_t size = strlen(state) + sizeof "/memcached.settings";
    it->settings_path = malloc(size);
    if (it->settings_path != NULL) snprintf(it->settings_path, size, "%s/memcached.settings", state);
    free(state);
  }
  if (it->address == NULL || it->settings_path == NULL || !kit_json_int(kit_member(config, "port"), &port) || port < 1 ||
      port > 65535 || !kit_json_int(kit_member(config, "uid"), &it->uid)) {
    close_instance(it);
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the instance must have state_dir, address, port and uid");
  }
  it->port = (int)port;
  *self = it;
  return TROVE_OK;
}

/* Keeps a request's config_contents for the next start. */
static trove_status keep(instance *it, trove_call *call, trove_str request, settings_values *values) {
  kit_text text = {NULL, 0, 0, 0};
  char *contents = kit_member_text(request, "config_contents");
  if (contents == NULL) return kit_fail(call, TROVE_INVALID_ARGUMENT, "the member 'config_contents' must be text");
  trove_status status = settings_read(call, contents, values);
  free(contents);
  if (status == TROVE_OK) status = settings_override(call, kit_member(request, "overrides"), values);
  if (status == TROVE_OK) status = settings_check(call, values);
  if (status != TROVE_OK) return status;
  settings_write(values, &text);
  status = text.failed ? kit_fail(call, TROVE_EXHAUSTED, "out of memory")
                       : kit_write_file(call, it->settings_path, text.ptr, text.len);
  kit_free(&text);
  return status;
}

static trove_status prepare(void *self, trove_call *call, trove_str request) {
  settings_values values;
  trove_status status = kit_expect(call, request, "config_contents s, restored b, overrides {?, root_password s?");
  if (status != TROVE_OK) return status;
  trove_str restored = kit_member(request, "restored");
  if (restored.len == 4 && memcmp(restored.ptr, "true", 4) == 0)
    return kit_fail(call, TROVE_UNSUPPORTED, "memcached keeps no data that could be restored");
  if (kit_member(request, "root_password").ptr != NULL)
    return kit_fail(call, TROVE_UNSUPPORTED, "memcached has no superuser");
  return keep(self, call, request, &values);
}

/* The settings of the next start; TROVE_PRECONDITION_FAILED before prepare. */
static trove_status load(instance *it, trove_call *call, settings_values *values) {
  kit_text text = {NULL, 0, 0, 0};
  trove_status status = kit_read_file(call, it->settings_path, &text);
  if (status == TROVE_OK)
    status = text.ptr == NULL ? kit_fail(call, TROVE_PRECONDITION_FAILED, "the instance has not been prepared")
                              : settings_read(call, text.ptr, values);
  kit_free(&text);
  return status;
}

static void argument(kit_text *out, const char *name, int64_t value, const char *unit) {
  kit_add(out, ",\"");
  kit_add(out, name);
  kit_add(out, "\",\"");
  kit_int(out, value);
  kit_add(out, unit);
  kit_add(out, "\"");
}

static trove_status launch(void *self, trove_call *call, trove_str request) {
  instance *it = self;
  settings_values values;
  kit_text out = {NULL, 0, 0, 0};
  trove_status status = kit_expect(call, request, "");
  if (status == TROVE_OK) status = load(it, call, &values);
  if (status != TROVE_OK) return status;
  kit_add(&out, "{\"argv\":[\"" MEMCACHED_PROGRAM "\",\"-l\",");
  kit_quote(&out, kit_str(it->address));
  argument(&out, "-p", it->port, "");
  argument(&out, "-U", 0, "");
  argument(&out, "-m", values.of[SETTING_CACHE_MB], "");
  argument(&out, "-c", values.of[SETTING_CONNECTIONS], "");
  argument(&out, "-t", values.of[SETTING_THREADS], "");
  argument(&out, "-I", values.of[SETTING_ITEM_KB], "k");
  if (values.of[SETTING_IDLE_TIMEOUT] > 0) {
    kit_add(&out, ",\"-o\",\"idle_timeout=");
    kit_int(&out, values.of[SETTING_IDLE_TIMEOUT]);
    kit_add(&out, "\"");
  }
  if (!values.of[SETTING_EVICTIONS]) kit_add(&out, ",\"-M\"");
  if (values.of[SETTING_LOG_WARNINGS]) kit_add(&out, ",\"-v\"");
  /* The host starts it with the instance's uid; memcached insists on a word about it only as root. */
  if (it->uid == 0) kit_add(&out, ",\"-u\",\"root\"");
  kit_add(&out, "],\"env\":{},\"ready\":\"tcp\",\"port\":");
  kit_int(&out, it->port);
  kit_add(&out, ",\"stop_signal\":\"TERM\",\"stop_timeout_s\":10,\"start_timeout_s\":30}");
  return kit_emit(call, &out);
}

static trove_status started(void *self, trove_call *call, trove_str request) {
  static const char *const ends[] = {"VERSION ", NULL};
  instance *it = self;
  trove_status expected = kit_expect(call, request, "");
  if (expected != TROVE_OK) return expected;
  for (;;) {
    kit_text answer = {NULL, 0, 0, 0};
    exchange_result result = protocol_exchange(call, it->address, it->port, "version\r\n", ends, 2000, &answer);
    kit_free(&answer);
    if (result == EXCHANGE_OK) return TROVE_OK;
    int64_t left = kit_host->time_left_ns(call);
    if (result == EXCHANGE_CANCELLED || result == EXCHANGE_BROKEN || left < 100000000)
      return protocol_fail(call, result, "asking for the version");
    struct pollfd cancelled = {kit_host->cancel_fd(call), POLLIN, 0};
    poll(&cancelled, 1, 20);
  }
}

/* The number of a line `STAT name number`, 0 without one. */
static uint64_t stat_of(const char *answer, const char *name) {
  char word[64];
  snprintf(word, sizeof word, "STAT %s ", name);
  for (const char *line = answer; line != NULL && *line != 0; line = strchr(line, '\n'), line += line != NULL)
    if (strncmp(line, word, strlen(word)) == 0) return strtoull(line + strlen(word), NULL, 10);
  return 0;
}

static trove_status status(void *self, trove_call *call, trove_service_status_1 *out) {
  static const char *const ends[] = {"END", "ERROR", NULL};
  instance *it = self;
  kit_text answer = {NULL, 0, 0, 0};
  exchange_result result = protocol_exchange(call, it->address, it->port, "stats\r\n", ends, 4500, &answer);
  trove_status ended = TROVE_OK;
  switch (result) {
    case EXCHANGE_OK:
      out->status = TROVE_SERVICE_HEALTHY;
      out->data_bytes = stat_of(answer.ptr, "bytes");
      out->connections = (uint32_t)stat_of(answer.ptr, "curr_connections");
      if (out->connections > 0) out->connections--; /* this one */
      break;
    case EXCHANGE_REFUSED: out->status = TROVE_SERVICE_SHUTDOWN; break;
    case EXCHANGE_BUSY: out->status = TROVE_SERVICE_BLOCKED; break;
    case EXCHANGE_SILENT: out->status = TROVE_SERVICE_BLOCKED; break;
    default: ended = protocol_fail(call, result, "asking for the statistics");
  }
  kit_free(&answer);
  return ended;
}

static trove_status tell(instance *it, trove_call *call, int index, const settings_values *values) {
  static const char *const ends[] = {"OK", "ERROR", "CLIENT_ERROR", "SERVER_ERROR", "MEMLIMIT", NULL};
  char command[64], what[64];
  kit_text answer = {NULL, 0, 0, 0};
  snprintf(command, sizeof command, "%s %lld\r\n", index == SETTING_CACHE_MB ? "cache_memlimit" : "verbosity",
           (long long)values->of[index]);
  snprintf(what, sizeof what, "setting %s", settings[index].name);
  exchange_result result = protocol_exchange(call, it->address, it->port, command, ends, 5000, &answer);
  trove_status ended = protocol_fail(call, result, what);
  if (result == EXCHANGE_OK && strncmp(answer.ptr, "OK", 2) != 0)
    ended = kit_fail(call, TROVE_INVALID_ARGUMENT, "%s: the server says %.*s", what, (int)strcspn(answer.ptr, "\r\n"),
                     answer.ptr);
  kit_free(&answer);
  return ended;
}

static trove_status apply_configuration(void *self, trove_call *call, trove_str request) {
  instance *it = self;
  settings_values values;
  trove_status status = kit_expect(call, request, "values {, config_contents s");
  if (status != TROVE_OK) return status;
  trove_str changed = kit_member(request, "values"), name, value;
  const char *at = changed.ptr;
  int count = 0;
  settings_values checked = settings_for(MEMCACHED_MEMORY_MB_MINIMUM);
  status = settings_override(call, changed, &checked);
  if (status == TROVE_OK) status = keep(it, call, request, &values);
  if (status != TROVE_OK) return status;
  kit_text out = {NULL, 0, 0, 0};
  kit_add(&out, "{\"restart_required\":[");
  while (status == TROVE_OK && kit_json_next(changed, &at, &name, &value)) {
    int index = settings_find(name);
    if (settings[index].is_live) {
      status = tell(it, call, index, &values);
      continue;
    }
    kit_add(&out, count++ > 0 ? "," : "");
    kit_quote(&out, name);
  }
  kit_add(&out, "]}");
  if (status == TROVE_OK) return kit_emit(call, &out);
  kit_free(&out);
  return status;
}

const trove_datastore_1 memcached_datastore = {
    .size = sizeof(trove_datastore_1),
    .open = open_instance,
    .close = close_instance,
    .prepare = prepare,
    .launch = launch,
    .started = started,
    .status = status,
    .apply_configuration = apply_configuration,
};
