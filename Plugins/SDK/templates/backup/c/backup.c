/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* A strategy that streams the data directory with tar, run as the engine. */
#include "tables.h"
#include "trove_plugin_kit.h"
#include "trove_services.h"

#define TAR "/usr/bin/tar"

typedef struct strategy {
  char *data_dir;
} strategy;

static void close_strategy(void *self) {
  strategy *it = self;
  if (it == NULL) return;
  free(it->data_dir);
  free(it);
}

static trove_status open_strategy(trove_call *call, trove_str config, void **self) {
  trove_status expected = kit_expect(call, config, "instance_id s, data_dir s, uid i, gid i, access {?");
  if (expected != TROVE_OK) return expected;
  strategy *it = calloc(1, sizeof *it);
  if (it == NULL) return kit_fail(call, TROVE_EXHAUSTED, "out of memory");
  it->data_dir = kit_member_text(config, "data_dir");
  if (it->data_dir == NULL) {
    close_strategy(it);
    return kit_fail(call, TROVE_INVALID_ARGUMENT, "the member 'data_dir' must be text");
  }
  *self = it;
  return TROVE_OK;
}

/* Only full backups, over a descriptor that a child can have. */
static trove_status check(trove_call *call, trove_str request, int32_t fd) {
  trove_status expected = kit_expect(call, request, "type s, memory_mb i, parent {?, position {?");
  if (expected != TROVE_OK) return expected;
  char *type = kit_member_text(request, "type");
  int is_full = type != NULL && strcmp(type, "full") == 0;
  free(type);
  if (!is_full) return kit_fail(call, TROVE_UNSUPPORTED, "only full backups are supported");
  if (fd < 0) return kit_fail(call, TROVE_UNSUPPORTED, "the host's stream has no descriptor to give to a program");
  return TROVE_OK;
}

/* Runs tar with the options, given as JSON strings that follow a comma. */
static trove_status run_tar(strategy *it, trove_call *call, const char *options, int32_t input, int32_t output) {
  const trove_process_1 *process = kit_service(TROVE_EXT_PROCESS, sizeof *process);
  kit_text request = {NULL, 0, 0, 0}, errors = {NULL, 0, 0, 0};
  trove_str response = {NULL, 0};
  int64_t exit_status = -1;
  if (process == NULL) return kit_fail(call, TROVE_PRECONDITION_FAILED, "the host does not offer " TROVE_EXT_PROCESS);
  kit_add(&request, "{\"as\":\"engine\",\"env\":{\"LC_ALL\":\"C\"},\"argv\":[\"" TAR "\",\"-C\",");
  kit_quote(&request, kit_str(it->data_dir));
  kit_add(&request, options);
  kit_add(&request, "]}");
  trove_str text = {request.ptr, request.len};
  trove_status status = request.failed ? kit_fail(call, TROVE_EXHAUSTED, "out of memory")
                                       : process->run(call, text, input, output, &response);
  kit_free(&request);
  if (status != TROVE_OK) return status; /* recorded by the host */
  kit_json_int(kit_member(response, "exit_status"), &exit_status);
  if (exit_status == 0) return TROVE_OK;
  kit_json_text(kit_member(response, "stderr_tail"), &errors);
  /* Source: tar(1), RETURN VALUE. */
  status = exit_status == 1 ? kit_fail(call, TROVE_BUSY, "files changed while tar read them")
                            : kit_fail(call, TROVE_INTERNAL, "%s ended with %lld: %.400s", TAR, (long long)exit_status,
                                       errors.ptr != NULL ? errors.ptr : "");
  kit_free(&errors);
  return status;
}

static trove_status backup(void *self, trove_call *call, trove_str request, const trove_ostream_1 *out) {
  kit_text position = {NULL, 0, 0, 0};
  trove_status status = check(call, request, out->fd);
  if (status == TROVE_OK)
    status = run_tar(self, call, ",\"--exclude=./lost+found\",\"-cf\",\"-\",\".\"", -1, out->fd);
  if (status != TROVE_OK) return status;
  kit_add(&position, "{\"position\":{\"format\":\"tar\"}}");
  return kit_emit(call, &position);
}

static trove_status restore(void *self, trove_call *call, trove_str request, const trove_istream_1 *in) {
  trove_status status = check(call, request, in->fd);
  return status == TROVE_OK ? run_tar(self, call, ",\"-xpf\",\"-\"", in->fd, -1) : status;
}

const trove_backup_1 backup_table = {
    .size = sizeof(trove_backup_1),
    .flags = TROVE_BACKUP_FULL,
    .open = open_strategy,
    .close = close_strategy,
    .backup = backup,
    .restore = restore,
};
