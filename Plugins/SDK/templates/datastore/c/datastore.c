/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* One instance, as its guest agent drives it. Every function may be repeated. What the engine cannot do is NULL in the table. */
#include "server.h"
#include "tables.h"
#include <poll.h>

typedef struct instance {
  char *address, *memory_path;
  int64_t port, uid;
} instance;

static void close_instance(void *self) {
  instance *it = self;
  if (it == NULL) return;
  free(it->address);
  free(it->memory_path);
  free(it);
}

static trove_status open_instance(trove_call *call, trove_str config, void **self) {
  trove_status expected = kit_expect(call, config, "instance_id s, address s, port i, data_dir s, state_dir s, uid i, gid i");
  if (expected != TROVE_OK) return expected;
  instance *it = calloc(1, sizeof *it);
  if (it == NULL) return kit_fail(call, TROVE_EXHAUSTED, "out of memory");
  char *state = kit_member_text(config, "state_dir");
  it->address = kit_member_text(config, "address");
  size_t size = (state != NULL ? strlen(state) : 0) + sizeof "/memory";
  if (state != NULL && (it->memory_path = malloc(size)) != NULL) snprintf(it->memory_path, size, "%s/memory", state);
  free(state);
  if (it->address == NULL || it->memory_path == NULL || !kit_json_int(kit_member(config, "port"), &it->port) ||
      !kit_json_int(kit_member(config, "uid"), &it->uid)) {
    close_instance(it);
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the instance must have state_dir, address, port and uid");
  }
  *self = it;
  return TROVE_OK;
}

/* Writes what the engine needs for its first start. */
static trove_status prepare(void *self, trove_call *call, trove_str request) {
  instance *it = self;
  int memory_mb;
  trove_status expected = kit_expect(call, request, "config_contents s, restored b, overrides {?, root_password s?");
  if (expected != TROVE_OK) return expected;
  trove_str restored = kit_member(request, "restored");
  if (restored.len == 4 && memcmp(restored.ptr, "true", 4) == 0)
    return kit_fail(call, TROVE_UNSUPPORTED, "this datastore keeps no data that could be restored");
  if (kit_member(request, "root_password").ptr != NULL)
    return kit_fail(call, TROVE_UNSUPPORTED, "this datastore has no superuser");
  char *contents = kit_member_text(request, "config_contents");
  int is_known = contents != NULL && sscanf(contents, "memory %d", &memory_mb) == 1 && memory_mb > 0;
  free(contents);
  if (!is_known) return kit_fail(call, TROVE_INVALID_ARGUMENT, "the member 'config_contents' must be 'memory MIB'");
  char text[32];
  int len = snprintf(text, sizeof text, "%d\n", memory_mb);
  return kit_write_file(call, it->memory_path, text, (size_t)len);
}

/* How the host starts the engine. It does so with the instance's uid, in its own cgroup, and stays its parent. */
static trove_status launch(void *self, trove_call *call, trove_str request) {
  instance *it = self;
  kit_text memory = {NULL, 0, 0, 0}, out = {NULL, 0, 0, 0};
  trove_status status = kit_expect(call, request, "");
  if (status == TROVE_OK) status = kit_read_file(call, it->memory_path, &memory);
  if (status == TROVE_OK && memory.ptr == NULL)
    status = kit_fail(call, TROVE_PRECONDITION_FAILED, "the instance has not been prepared");
  if (status == TROVE_OK) {
    kit_add(&out, "{\"argv\":[\"" SERVER_PROGRAM "\",\"-l\",");
    kit_quote(&out, kit_str(it->address));
    kit_add(&out, ",\"-p\",\"");
    kit_int(&out, it->port);
    kit_add(&out, "\",\"-U\",\"0\",\"-m\",\"");
    kit_int(&out, atoi(memory.ptr));
    kit_add(&out, it->uid == 0 ? "\",\"-u\",\"root\"" : "\"");
    kit_add(&out, "],\"env\":{},\"ready\":\"tcp\",\"port\":");
    kit_int(&out, it->port);
    kit_add(&out, ",\"stop_signal\":\"TERM\",\"stop_timeout_s\":10,\"start_timeout_s\":30}");
    status = kit_emit(call, &out);
  }
  kit_free(&memory);
  return status;
}

/* Returns once the engine answers over the instance's own address. */
static trove_status started(void *self, trove_call *call, trove_str request) {
  instance *it = self;
  char answer[256];
  trove_status expected = kit_expect(call, request, "");
  if (expected != TROVE_OK) return expected;
  for (;;) {
    trove_status status =
        server_ask(call, it->address, (int)it->port, "version\r\n", "\r\n", 2000, answer, sizeof answer);
    if (status == TROVE_OK && strncmp(answer, "VERSION ", 8) == 0) return TROVE_OK;
    if (status == TROVE_OK) status = TROVE_INTERNAL;
    if (status == TROVE_CANCELLED || status == TROVE_INTERNAL || kit_host->time_left_ns(call) < 100000000)
      return kit_fail(call, status, "the server does not answer at %s:%lld", it->address, (long long)it->port);
    struct pollfd cancelled = {kit_host->cancel_fd(call), POLLIN, 0};
    poll(&cancelled, 1, 20);
  }
}

static uint64_t number_after(const char *answer, const char *word) {
  const char *at = strstr(answer, word);
  return at != NULL ? strtoull(at + strlen(word), NULL, 10) : 0;
}

static trove_status status(void *self, trove_call *call, trove_service_status_1 *out) {
  instance *it = self;
  char answer[16384];
  trove_status status =
      server_ask(call, it->address, (int)it->port, "stats\r\n", "END\r\n", 4000, answer, sizeof answer);
  switch (status) {
    case TROVE_OK:
      out->status = TROVE_SERVICE_HEALTHY;
      out->data_bytes = number_after(answer, "STAT bytes ");
      out->connections = (uint32_t)number_after(answer, "STAT curr_connections ");
      return TROVE_OK;
    case TROVE_UNAVAILABLE: out->status = TROVE_SERVICE_SHUTDOWN; return TROVE_OK;
    case TROVE_TIMED_OUT: out->status = TROVE_SERVICE_BLOCKED; return TROVE_OK;
    default: return kit_fail(call, status, "the server's state could not be read");
  }
}

const trove_datastore_1 datastore_table = {
    .size = sizeof(trove_datastore_1),
    .open = open_instance,
    .close = close_instance,
    .prepare = prepare,
    .launch = launch,
    .started = started,
    .status = status,
};
