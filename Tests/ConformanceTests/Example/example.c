/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that does everything right, and, compiled with -DMUTANT_<name>, exactly one thing wrong. It has no engine: its
 * accounts live in memory.
 */
#define _GNU_SOURCE
#include "json.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "trove_actions.h"
#include "trove_api_extension.h"
#include "trove_backup.h"
#include "trove_datastore.h"
#include "trove_datastore_policy.h"
#include "trove_module_driver.h"
#include "trove_rpc_peer.h"
#include "trove_services.h"

static const trove_host_1 *host;
static const trove_log_1 *logger;

static trove_str str(const char *s) { return (trove_str){s, strlen(s)}; }

static trove_status fail(trove_call *call, trove_status status, const char *message) {
#ifdef MUTANT_no_message
  (void)call; (void)message;
  return status;
#elif defined MUTANT_bad_details
  return host->fail(call, status, str(message), str("not an object"));
#else
  return host->fail(call, status, str(message), str("{}"));
#endif
}

static trove_status say(trove_call *call, const char *document) { return host->emit(call, document, strlen(document)); }

static trove_status refuse(trove_call *call, const char *what) {
#ifdef MUTANT_unknown_status
  (void)what;
  return host->fail(call, 99, str("something new"), str("{}"));
#else
  return fail(call, TROVE_INVALID_ARGUMENT, what);
#endif
}

/* A member that is a text: its raw bytes between the quotes. */
static bool text_member(trove_str request, const char *key, text *value) {
  if (!member(request.ptr, request.len, key, value) || *value->at != '"') return false;
  value->at++;
  value->end--;
  return true;
}

static bool has(trove_str request, const char *key, char first) {
  text value;
#ifdef MUTANT_any_type
  (void)first;
  return member(request.ptr, request.len, key, &value);
#else
  return member(request.ptr, request.len, key, &value) && *value.at == first;
#endif
}

static bool is_document(trove_str request) {
#ifdef MUTANT_any_text
  (void)request;
  return true;
#endif
#ifdef MUTANT_exits
  if (request.len == 0) exit(0);
#endif
  return is_object(request.ptr, request.len);
}

static bool contains(trove_str where, const char *what) {
  return where.len > 0 && memmem(where.ptr, where.len, what, strlen(what)) != NULL;
}

/* ---- datastore ---- */

#ifdef MUTANT_table_written
static trove_datastore_1 *datastore_table(void);
#endif

struct state {
  char *directory;
  bool has_user, has_base, has_root, is_prepared;
  char log;
};

static trove_status ds_open(trove_call *call, trove_str config, void **self) {
  text directory;
  if (!is_document(config) || !text_member(config, "data_dir", &directory)) return refuse(call, "the instance has no data_dir");
  struct state *s = calloc(1, sizeof *s);
  s->directory = strndup(directory.at, (size_t)(directory.end - directory.at));
  *self = s;
  return TROVE_OK;
}

static void ds_close(void *self) {
  struct state *s = self;
#ifdef MUTANT_leak
  s->directory = NULL;
#endif
  free(s->directory);
  free(s);
}

static trove_status ds_prepare(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request) || !has(request, "config_contents", '"')) return refuse(call, "config_contents is no text");
  text restored;
  if (!member(request.ptr, request.len, "restored", &restored) || (*restored.at != 't' && *restored.at != 'f'))
    return refuse(call, "restored is neither true nor false");
  host->progress(call, 500, str("preparing"));
  logger->log(host, call, TROVE_LOG_INFO, str("prepared"),
#ifdef MUTANT_log_fields
              str("directory=/x"));
#else
              str("{\"files\":1}"));
#endif
  s->is_prepared = true;
  return TROVE_OK;
}

static trove_status ds_launch(void *self, trove_call *call, trove_str request) {
  (void)self; (void)request;
#ifdef MUTANT_cut_output
  return say(call, "{\"argv\":[\"/bin/sleep\",\"1000\"]");
#elif defined MUTANT_wrong_output
  return say(call, "{\"argv\":[\"/bin/sleep\"],\"env\":{},\"ready\":\"soon\",\"port\":1,\"stop_signal\":\"TERM\",\"stop_timeout_s\":5,\"start_timeout_s\":5}");
#else
  return say(call, "{\"argv\":[\"/bin/sleep\",\"1000\"],\"env\":{},\"ready\":\"tcp\",\"port\":47311,"
                   "\"stop_signal\":\"TERM\",\"stop_timeout_s\":5,\"start_timeout_s\":5}");
#endif
}

static void *finish(void *argument) {
  trove_call *call = argument;
  usleep(1000);
#ifndef MUTANT_never_completes
  host->complete(call, TROVE_OK);
#endif
#ifdef MUTANT_completes_twice
  host->complete(call, TROVE_OK);
#endif
  return NULL;
}

/* Finishes on a thread of its own, as a plugin with an event loop does. */
static trove_status ds_started(void *self, trove_call *call, trove_str request) {
  (void)self; (void)request;
  pthread_t thread;
  if (pthread_create(&thread, NULL, finish, call) != 0) return fail(call, TROVE_EXHAUSTED, "no thread");
  pthread_detach(thread);
  return TROVE_PENDING;
}

static trove_status ds_status(void *self, trove_call *call, trove_service_status_1 *out) {
  (void)self; (void)call;
#ifdef MUTANT_always_healthy
  out->status = TROVE_SERVICE_HEALTHY;
#else
  out->status = TROVE_SERVICE_SHUTDOWN;
#endif
#ifdef MUTANT_writes_too_far
  memset(out + 1, 0, 8);
#endif
  return TROVE_OK;
}

static trove_status ds_create_databases(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request) || !has(request, "databases", '[')) return refuse(call, "databases is no list");
#ifdef MUTANT_crash_on_quote
  if (contains(request, "a'b")) *(volatile int *)8 = 1;
#endif
#ifdef MUTANT_path_from_name
  text list;
  if (member(request.ptr, request.len, "databases", &list) && contains(request, "\"..\"")) {
    char path[512];
    snprintf(path, sizeof path, "%s/../stray", s->directory);
    close(open(path, O_CREAT | O_WRONLY, 0600));
  }
#endif
  s->has_base = true;
  return TROVE_OK;
}

static trove_status ds_delete_database(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request) || !has(request, "name", '"')) return refuse(call, "name is no text");
  s->has_base = false;
  return TROVE_OK;
}

static trove_status ds_list_databases(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request)) return refuse(call, "the request is no object");
  return say(call, s->has_base ? "{\"databases\":[{\"name\":\"check_base\"}],\"next\":null}" : "{\"databases\":[],\"next\":null}");
}

static trove_status ds_create_users(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
#ifdef MUTANT_table_written
  datastore_table()->flags++;
#endif
  if (!is_document(request) || !has(request, "users", '[')) return refuse(call, "users is no list");
#ifdef MUTANT_secret_in_message
  if (contains(request, "a'b")) {
    char message[4096];
    snprintf(message, sizeof message, "cannot do %.*s", (int)(request.len < 4000 ? request.len : 4000), request.ptr);
    return fail(call, TROVE_INVALID_ARGUMENT, message);
  }
#endif
#ifdef MUTANT_crash_on_large
  if (request.len > 100000) {
    char copy[1000];
    memset(copy, 'x', request.len);
    return say(call, copy);
  }
#endif
#ifdef MUTANT_not_idempotent
  if (s->has_user) return fail(call, TROVE_ALREADY_EXISTS, "the user is there");
#endif
#ifdef MUTANT_forgets_users
  return TROVE_OK;
#endif
  s->has_user = true;
  return TROVE_OK;
}

static trove_status ds_delete_user(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request) || !has(request, "name", '"')) return refuse(call, "name is no text");
#ifdef MUTANT_delete_not_idempotent
  if (!s->has_user) return fail(call, TROVE_NOT_FOUND, "there is no such user");
#endif
  s->has_user = false;
  return TROVE_OK;
}

static trove_status ds_get_user(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request) || !has(request, "name", '"')) return refuse(call, "name is no text");
#ifdef MUTANT_finds_nobody
  return say(call, "{\"name\":\"check_user\",\"host\":\"%\",\"databases\":[]}");
#endif
  if (!s->has_user || !contains(request, "check_user")) return fail(call, TROVE_NOT_FOUND, "there is no such user");
  return say(call, "{\"name\":\"check_user\",\"host\":\"%\",\"databases\":[]}");
}

static trove_call *kept;
static void *idle(void *argument);

static trove_status ds_list_users(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request)) return refuse(call, "the request is no object");
#ifdef MUTANT_late_emit
  if (kept != NULL) say(kept, "{}");
  kept = call;
#endif
#ifdef MUTANT_late_use
  if (kept != NULL) host->progress(kept, 1, str("late"));
  kept = call;
#endif
  (void)kept;
#ifdef MUTANT_leak_descriptor
  if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) return fail(call, TROVE_EXHAUSTED, "no descriptor");
#endif
#ifdef MUTANT_leak_thread
  pthread_t thread;
  pthread_create(&thread, NULL, idle, NULL);
#endif
#ifdef MUTANT_leak_memory
  void *volatile lost = malloc(200);
  memset(lost, 1, 200);
#endif
  return say(call, s->has_user ? "{\"users\":[{\"name\":\"check_user\",\"host\":\"%\",\"databases\":[]}],\"next\":null}"
                               : "{\"users\":[],\"next\":null}");
}

static trove_status ds_enable_root(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  if (!is_document(request)) return refuse(call, "the request is no object");
  s->has_root = true;
  return say(call, "{\"name\":\"root\",\"password\":\"made-up\"}");
}

static trove_status ds_disable_root(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  (void)call; (void)request;
  s->has_root = false;
  return TROVE_OK;
}

static trove_status ds_root_status(void *self, trove_call *call, trove_str request) {
  struct state *s = self;
  (void)request;
  return say(call, s->has_root ? "{\"enabled\":true}" : "{\"enabled\":false}");
}

/* Takes its time: half a minute of work in small pieces, if nobody stops it. */
static trove_status ds_post_upgrade(void *self, trove_call *call, trove_str request) {
  (void)self;
  if (!is_document(request) || !has(request, "from", '"') || !has(request, "to", '"')) return refuse(call, "from or to is no text");
  if (!contains(request, "\"1.0\"") || !contains(request, "\"1.1\"")) return refuse(call, "there is no such version");
  for (int i = 0; i < 3000; i++) {
#ifdef MUTANT_ignores_cancel
    if (host->time_left_ns(call) < 500000000) return fail(call, TROVE_TIMED_OUT, "out of time");
#elif defined MUTANT_ignores_deadline
    if (host->is_cancelled(call) && host->time_left_ns(call) > 0) return fail(call, TROVE_CANCELLED, "stopped");
#else
    if (host->is_cancelled(call)) return fail(call, TROVE_CANCELLED, "stopped");
    if (host->time_left_ns(call) <= 0) return fail(call, TROVE_TIMED_OUT, "out of time");
#endif
    struct pollfd p = {host->cancel_fd(call), POLLIN, 0};
#if defined MUTANT_ignores_cancel || defined MUTANT_ignores_deadline
    p.fd = -1;
#endif
    poll(&p, 1, 10);
  }
  return TROVE_OK;
}

static
#ifndef MUTANT_table_written
    const
#endif
    trove_datastore_1 datastore = {
        .size = sizeof(trove_datastore_1)
#ifdef MUTANT_table_size
                - 8
#endif
        ,
        .open = ds_open, .close = ds_close, .prepare = ds_prepare, .launch = ds_launch, .started = ds_started,
#ifndef MUTANT_no_status
        .status = ds_status,
#endif
        .create_databases = ds_create_databases, .delete_database = ds_delete_database,
        .list_databases = ds_list_databases, .create_users = ds_create_users, .delete_user = ds_delete_user,
        .get_user = ds_get_user, .list_users = ds_list_users, .enable_root = ds_enable_root,
        .disable_root = ds_disable_root, .root_status = ds_root_status, .post_upgrade = ds_post_upgrade};

#ifdef MUTANT_table_written
static trove_datastore_1 *datastore_table(void) { return &datastore; }
#endif

/* ---- policy ---- */

static trove_status p_requirements(trove_call *call, trove_str request) {
  if (!is_document(request)) return refuse(call, "the request is no object");
#ifdef MUTANT_policy_reads
  char byte;
  int file = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
  if (file >= 0 && read(file, &byte, 1) < 0) return fail(call, TROVE_INTERNAL, "cannot read");
  close(file);
#endif
#ifdef MUTANT_policy_varies
  static int calls;
  if (calls++ % 2)
    return say(call, "{\"ports\":[47312],\"volume\":{\"required\":true,\"minimum_gib\":1},\"memory_mb_minimum\":64,"
                     "\"has_template\":false,\"programs\":[]}");
#endif
  return say(call, "{\"ports\":[47311],\"volume\":{\"required\":true,\"minimum_gib\":1},\"memory_mb_minimum\":64,"
                   "\"has_template\":false,\"programs\":[]}");
}

static trove_status p_validate_create(trove_call *call, trove_str request) {
  static const char *const numbers[] = {"memory_mb", "vcpus", "volume_gib"};
  if (!is_document(request) || !has(request, "version", '"') || !has(request, "databases", '[') || !has(request, "users", '['))
    return refuse(call, "version, databases or users is missing");
  for (int i = 0; i < 3; i++) {
    text value;
    if (!member(request.ptr, request.len, numbers[i], &value) || !strchr("0123456789", *value.at))
      return refuse(call, "a size is no number");
  }
  return TROVE_OK;
}

static trove_status p_render(trove_call *call, trove_str request) {
  if (!is_document(request)) return refuse(call, "the request is no object");
  return say(call, "{\"config_contents\":\"limit = 1\\n\"}");
}

static trove_status p_parameters(trove_call *call, trove_str request) {
  if (!is_document(request)) return refuse(call, "the request is no object");
#ifdef MUTANT_parameter_twice
  return say(call, "{\"parameters\":[{\"name\":\"limit\",\"type\":\"integer\",\"restart_required\":false},"
                   "{\"name\":\"limit\",\"type\":\"integer\",\"restart_required\":false}]}");
#endif
  return say(call, "{\"parameters\":[{\"name\":\"limit\",\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"restart_required\":false}]}");
}

static const trove_datastore_policy_1 policy = {
    .size = sizeof(trove_datastore_policy_1), .requirements = p_requirements, .validate_create = p_validate_create,
    .render_configuration = p_render, .parameters = p_parameters};

/* ---- backup ---- */

static const char content[] = "TROVE EXAMPLE BACKUP: all there is";

static trove_status b_open(trove_call *call, trove_str config, void **self) { return ds_open(call, config, self); }

static trove_status b_backup(void *self, trove_call *call, trove_str request, const trove_ostream_1 *out) {
  (void)self;
  if (!is_document(request) || !has(request, "type", '"')) return refuse(call, "type is no text");
#ifndef MUTANT_takes_no_parent
  if (contains(request, "\"incremental\"")) return fail(call, TROVE_UNSUPPORTED, "only full backups are made");
#endif
  for (size_t done = 0; done < sizeof content;) {
    int64_t n = out->write(out, content + done, sizeof content - done);
#ifdef MUTANT_write_error
    if (n < 0) break;
#endif
    if (n < 0) return fail(call, TROVE_UNAVAILABLE, "the stream takes nothing");
#ifdef MUTANT_short_write
    break;
#endif
    done += (size_t)n;
  }
  return say(call, "{\"position\":{\"at\":1}}");
}

static trove_status b_restore(void *self, trove_call *call, trove_str request, const trove_istream_1 *in) {
  (void)self;
  if (!is_document(request) || !has(request, "type", '"')) return refuse(call, "type is no text");
  char buffer[4096];
  size_t count = 0;
  for (;;) {
    int64_t n = in->read(in, buffer + count, sizeof buffer - count);
    if (n < 0) return fail(call, TROVE_UNAVAILABLE, "the stream cannot be read");
    if (n == 0) break;
    count += (size_t)n;
    if (count == sizeof buffer) break;
  }
#ifndef MUTANT_takes_garbage
  if (count != sizeof content || memcmp(buffer, content, sizeof content) != 0)
    return fail(call, TROVE_INVALID_ARGUMENT, "the stream is no backup of this strategy");
#endif
  return TROVE_OK;
}

#if defined MUTANT_undeclared_increments || defined MUTANT_takes_no_parent
enum { KINDS = TROVE_BACKUP_FULL | TROVE_BACKUP_INCREMENTAL };
#else
enum { KINDS = TROVE_BACKUP_FULL };
#endif

static const trove_backup_1 backup = {
    .size = sizeof(trove_backup_1), .flags = KINDS, .open = b_open, .close = ds_close, .backup = b_backup,
    .restore = b_restore};

/* ---- routes ---- */

static trove_status r_show(trove_call *call, trove_str request) {
  if (!is_document(request)) return refuse(call, "the request is no object");
  return say(call, "{\"status\":200,\"body\":{\"things\":[]}}");
}

static trove_status r_make(trove_call *call, trove_str request) {
  if (!is_document(request)) return refuse(call, "the request is no object");
#ifdef MUTANT_route_internal
  return fail(call, TROVE_INTERNAL, "something went wrong");
#endif
#ifdef MUTANT_route_status
  return say(call, "{\"status\":0}");
#endif
  return say(call, "{\"status\":202}");
}

static const trove_route_1 routes[] = {
    {sizeof(trove_route_1), 0, "GET", "/instances/{id}/things", "instance:extension:thing:index", "Things", NULL,
     "{\"type\":\"object\"}", r_show},
    {sizeof(trove_route_1), 0, "POST",
#ifdef MUTANT_undeclared_word
     "/instances/{id}/others",
#else
     "/instances/{id}/things",
#endif
     "instance:extension:thing:create", "Makes a thing",
#ifdef MUTANT_route_schema
     "{\"type\":",
#else
     "{\"type\":\"object\"}",
#endif
     NULL, r_make}};
static const trove_api_extension_1 api = {sizeof(trove_api_extension_1), 2, routes};

/* ---- actions ---- */

static trove_status a_greet(trove_call *call, const trove_str *who, int64_t times) {
  char out[64];
#ifdef MUTANT_sample_refused
  if (times == 2) return refuse(call, "twice is too often");
#endif
#ifdef MUTANT_action_crash
  volatile char copy[32];
  for (size_t i = 0; i < who->len; i++) copy[i] = 'x';
#endif
  snprintf(out, sizeof out, "{\"bytes\":%zu,\"times\":%lld}", who->len, (long long)times);
  return say(call, out);
}

static trove_status a_count(trove_call *call, void *user, const trove_value_1 *args, uint32_t count) {
  (void)user; (void)args;
#ifdef MUTANT_read_only_changes
  static int calls;
  if (calls++ % 2) return fail(call, TROVE_PRECONDITION_FAILED, "counted already");
#endif
  char out[64];
  snprintf(out, sizeof out, "{\"arguments\":%u}", count);
  return say(call, out);
}

static const trove_arg_1 greet_args[] = {
    {"who", TROVE_T_STR, 0, "whom to greet"}, {"times", TROVE_T_I64, 0, "count, at least 1"}};
static const trove_arg_1 count_args[] = {{"deep", TROVE_T_BOOL, TROVE_ARG_OPTIONAL, "count everything"}};
static const trove_action_1 action_items[] = {
    {sizeof(trove_action_1), 0, "greet", "Greets", greet_args, 2, 0,
     TROVE_TYPED_FN(a_greet, trove_status(*)(trove_call *, const trove_str *, int64_t)), NULL},
    {sizeof(trove_action_1), TROVE_ACTION_PACKED | TROVE_ACTION_READ_ONLY, "count", "Counts", count_args, 1, 0,
     (trove_fn)a_count, NULL}};
static const trove_actions_1 actions = {sizeof(trove_actions_1), 2, action_items};

/* ---- module driver and peer ---- */

static trove_status m_apply(trove_call *call, trove_str request) {
  if (!is_document(request) || !has(request, "id", '"') || !has(request, "type", '"') || !has(request, "contents", '"'))
    return refuse(call, "id, type or contents is no text");
#ifdef MUTANT_module_not_idempotent
  static bool is_there;
  if (is_there) return fail(call, TROVE_ALREADY_EXISTS, "it is applied");
  is_there = true;
#endif
  return say(call, "{\"message\":\"applied\"}");
}

static const trove_module_driver_1 module = {.size = sizeof(trove_module_driver_1), .type = "example", .apply = m_apply};

static trove_status peer_handle(trove_call *call, trove_str request) {
  if (!is_document(request) || !has(request, "method", '"')) return refuse(call, "method is no text");
  return say(call, "{\"ok\":true}");
}

static const trove_rpc_peer_1 peer = {.size = sizeof(trove_rpc_peer_1), .handle = peer_handle};

/* ---- the plugin ---- */

static void *idle(void *argument) {
  pause();
  return argument;
}

static trove_status init(const trove_host_1 *h) {
  host = h;
  logger = h->get_extension(h, TROVE_EXT_LOG);
  (void)idle;
#ifdef MUTANT_init_fails
  return TROVE_UNAVAILABLE;
#endif
#ifdef MUTANT_init_thread
  pthread_t thread;
  pthread_create(&thread, NULL, idle, NULL);
#endif
#ifdef MUTANT_init_slow
  usleep(300000);
#endif
#ifdef MUTANT_init_descriptor
  if (open("/dev/null", O_RDONLY) < 0) return TROVE_INTERNAL;
#endif
#ifdef MUTANT_init_umask
  umask(0);
#endif
#ifdef MUTANT_init_fork
  if (fork() == 0) pause();
#endif
#ifdef MUTANT_hidden_requirement
  if (h->get_extension(h, TROVE_EXT_KV) == NULL) return TROVE_UNSUPPORTED;
#endif
  return logger != NULL ? TROVE_OK : TROVE_UNSUPPORTED;
}

static void deinit(void) {
#ifdef MUTANT_deinit_hangs
  sleep(3);
#endif
}

static const void *get_extension(const char *id) {
#ifdef MUTANT_answers_anything
  if (strncmp(id, "trove.datastore/", 16) == 0) return &datastore;
#endif
#ifdef MUTANT_extension_changes
  static trove_rpc_peer_1 copies[2];
  static int turn;
  copies[0] = copies[1] = peer;
  if (strcmp(id, TROVE_EXT_RPC_PEER) == 0) return &copies[turn++ % 2];
#endif
#ifdef MUTANT_lacks_extension
  if (strcmp(id, TROVE_EXT_RPC_PEER) == 0) return NULL;
#endif
  if (strcmp(id, TROVE_EXT_DATASTORE) == 0) return &datastore;
  if (strcmp(id, TROVE_EXT_DATASTORE_POLICY) == 0) return &policy;
  if (strcmp(id, TROVE_EXT_BACKUP) == 0) return &backup;
  if (strcmp(id, TROVE_EXT_API_EXTENSION) == 0) return &api;
  if (strcmp(id, TROVE_EXT_ACTIONS) == 0) return &actions;
  if (strcmp(id, TROVE_EXT_MODULE_DRIVER) == 0) return &module;
  if (strcmp(id, TROVE_EXT_RPC_PEER) == 0) return &peer;
  return NULL;
}

static const trove_plugin_1 plugin = {
    .size = sizeof(trove_plugin_1)
#ifdef MUTANT_plugin_size
            + 8
#endif
    ,
#ifdef MUTANT_magic
    .magic = 0x12345678,
#else
    .magic = TROVE_MAGIC,
#endif
#ifdef MUTANT_abi
    .abi_major = TROVE_ABI_MAJOR + 1,
#else
    .abi_major = TROVE_ABI_MAJOR,
#endif
    .abi_minor = TROVE_ABI_MINOR,
#ifdef MUTANT_flags
    .flags = 1,
#endif
#ifdef MUTANT_other_id
    .id = "org.example.other",
#else
    .id = "org.example.check",
#endif
#ifdef MUTANT_other_version
    .version = "1.0.1",
#else
    .version = "1.0.0",
#endif
    .init = init, .deinit = deinit, .get_extension = get_extension};

#ifdef MUTANT_constructor_aborts
__attribute__((constructor)) static void constructor(void) { abort(); }
#endif
#ifdef MUTANT_more_exports
TROVE_EXPORT int example_helper(void) { return 1; }
#endif
#ifdef MUTANT_undefined
extern int function_of_the_host(void);
#endif

const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
#ifdef MUTANT_undefined
  if (function_of_the_host()) return NULL;
#endif
#ifdef MUTANT_no_table
  return NULL;
#endif
#ifdef MUTANT_any_major
  return &plugin;
#endif
  return major == TROVE_ABI_MAJOR ? &plugin : NULL;
}
