// SPDX-License-Identifier: Apache-2.0

/// A datastore and backup plugin in C: databases and users are files, the engine is the small server.
///
/// Files in the run directory change what it does: `mode` (the engine's mode), `prepare-fail`, `prepare-trap`,
/// `tls-fail`, `tls-late`, `started-busy` (once), `blocked`, `backup-fail`, `backup-slow` (until it is removed), `restore-fail`, `launch-trap`.
let pluginSource = #"""
    #include "trove_backup.h"
    #include "trove_datastore.h"
    #include "trove_rpc_peer.h"
    #include "trove_services.h"
    #include "draft/trove_tls.h"
    #include <arpa/inet.h>
    #include <dirent.h>
    #include <fcntl.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/socket.h>
    #include <sys/stat.h>
    #include <unistd.h>

    typedef struct { char data[256], run[256], address[64]; int port; } self_t;
    static const trove_host_1 *host;
    static char engine[512];

    /* ---- JSON, as much as is needed ---- */
    static const char *skip(const char *p, const char *end) {
      if (*p == '"') {
        for (p++; p < end && *p != '"'; p++) if (*p == '\\') p++;
        return p + 1;
      }
      if (*p == '{' || *p == '[') {
        int depth = 0;
        do {
          if (*p == '"') { p = skip(p, end); continue; }
          if (*p == '{' || *p == '[') depth++;
          if (*p == '}' || *p == ']') depth--;
          p++;
        } while (p < end && depth > 0);
        return p;
      }
      while (p < end && *p != ',' && *p != '}' && *p != ']') p++;
      return p;
    }
    static trove_str member(trove_str object, const char *name) {
      const char *p = object.ptr + 1, *end = object.ptr + object.len;
      while (p < end && *p != '}') {
        const char *key = p, *after = skip(p, end), *value = after + 1, *next = skip(value, end);
        if ((size_t)(after - key) == strlen(name) + 2 && !strncmp(key + 1, name, strlen(name)))
          return (trove_str){value, (size_t)(next - value)};
        p = next < end && *next == ',' ? next + 1 : next;
      }
      return (trove_str){NULL, 0};
    }
    static int text(trove_str object, const char *name, char *out, size_t size) {
      trove_str value = member(object, name);
      out[0] = 0;
      if (value.len < 2 || value.ptr[0] != '"') return 0;
      snprintf(out, size, "%.*s", (int)value.len - 2, value.ptr + 1);
      return 1;
    }
    static int each(trove_str array, size_t *at, trove_str *item) {
      if (!array.ptr) return 0;
      const char *p = array.ptr + (*at ? *at : 1), *end = array.ptr + array.len;
      if (*p == ',') p++;
      if (p >= end || *p == ']') return 0;
      const char *next = skip(p, end);
      *item = (trove_str){p, (size_t)(next - p)};
      *at = (size_t)(next - array.ptr);
      return 1;
    }
    static trove_status emit(trove_call *call, const char *format, ...) {
      char line[4096];
      va_list list;
      va_start(list, format);
      int size = vsnprintf(line, sizeof line, format, list);
      va_end(list);
      return host->emit(call, line, (size_t)size);
    }
    static trove_status fail(trove_call *call, trove_status code, const char *message) {
      return host->fail(call, code, (trove_str){message, strlen(message)}, (trove_str){NULL, 0});
    }

    /* ---- files ---- */
    static const char *at(const char *directory, const char *format, ...) {
      static __thread char paths[4][1024];
      static __thread int next;
      char *path = paths[next++ & 3];
      int size = snprintf(path, 512, "%s/", directory);
      va_list list;
      va_start(list, format);
      vsnprintf(path + size, 512, format, list);
      va_end(list);
      return path;
    }
    static void put(const char *path, const char *content, size_t size) {
      FILE *file = fopen(path, "w");
      if (!file) return;
      fwrite(content, 1, size, file);
      fclose(file);
    }
    static size_t get(const char *path, char *out, size_t size) {
      FILE *file = fopen(path, "r");
      out[0] = 0;
      if (!file) return 0;
      size_t count = fread(out, 1, size - 1, file);
      fclose(file);
      out[count] = 0;
      return count;
    }
    static int behave(self_t *self, const char *name) { return access(at(self->run, "%s", name), F_OK) == 0; }
    static int visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

    /* ---- datastore ---- */
    static trove_status open_(trove_call *call, trove_str config, void **out) {
      (void)call;
      self_t *self = calloc(1, sizeof *self);
      char id[64];
      text(config, "data_dir", self->data, sizeof self->data);
      text(config, "run_dir", self->run, sizeof self->run);
      text(config, "address", self->address, sizeof self->address);
      text(config, "instance_id", id, sizeof id);
      trove_str port = member(config, "port");
      self->port = port.ptr ? atoi(port.ptr) : 0;
      trove_str access = member(config, "access");
      char password[64];
      if (access.ptr && (!text(access, "password", password, sizeof password) || strcmp(password, "s3cret")))
        return fail(call, TROVE_PERMISSION_DENIED, "wrong access");
      *out = self;
      return TROVE_OK;
    }
    static void close_(void *self) { free(self); }
    static void directories(self_t *self) {
      mkdir(at(self->data, "db"), 0700);
      mkdir(at(self->data, "users"), 0700);
    }
    static trove_status initialize(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      (void)request;
      if (access(at(self->data, "template"), F_OK) == 0) return fail(call, TROVE_PRECONDITION_FAILED, "not empty");
      directories(self);
      put(at(self->data, "template"), "1", 1);
      return TROVE_OK;
    }
    static trove_status prepare(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      if (behave(self, "prepare-trap")) __builtin_trap();
      if (behave(self, "prepare-fail")) return fail(call, TROVE_INTERNAL, "the disk is of the wrong colour");
      directories(self);
      trove_str config = member(request, "config_contents");
      put(at(self->data, "config"), config.ptr, config.len);
      trove_str restored = member(request, "restored");
      put(at(self->data, "was-restored"), restored.ptr, restored.len);
      return TROVE_OK;
    }
    static trove_status launch(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      (void)request;
      if (behave(self, "launch-trap")) __builtin_trap();
      char mode[32] = "notify";
      if (behave(self, "mode")) get(at(self->run, "mode"), mode, sizeof mode);
      return emit(call,
                  "{\"argv\":[\"%s\",\"%s\",\"%d\",\"%s\",\"%s\"],\"env\":{\"LANG\":\"C\"},\"ready\":\"%s\",\"port\":%d,"
                  "\"stop_signal\":\"TERM\",\"stop_timeout_s\":1,\"start_timeout_s\":5}",
                  engine, self->address, self->port, mode, at(self->run, "starts"),
                  strcmp(mode, "tcp") ? "notify" : "tcp", self->port);
    }
    static int answers(self_t *self) {
      int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)self->port)};
      inet_pton(AF_INET, self->address, &to.sin_addr);
      int ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;
      close(fd);
      return ok;
    }
    static trove_status started(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      (void)request;
      if (unlink(at(self->run, "started-busy")) == 0) return fail(call, TROVE_UNAVAILABLE, "not yet");
      return answers(self) ? TROVE_OK : fail(call, TROVE_UNAVAILABLE, "no answer");
    }
    static trove_status status(void *own, trove_call *call, trove_service_status_1 *out) {
      self_t *self = own;
      (void)call;
      out->status = !answers(self) ? TROVE_SERVICE_SHUTDOWN : behave(self, "blocked") ? TROVE_SERVICE_BLOCKED : TROVE_SERVICE_HEALTHY;
      out->data_bytes = 4096;
      return TROVE_OK;
    }
    static trove_status backup_access(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      (void)request;
      return emit(call, "{\"user\":\"backup\",\"password\":\"s3cret\",\"data_dir\":\"%s\"}", self->data);
    }
    static trove_status create_databases(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      trove_str list = member(request, "databases"), item;
      char name[128];
      for (size_t i = 0; each(list, &i, &item);) {
        text(item, "name", name, sizeof name);
        if (!strcmp(name, "taken")) return fail(call, TROVE_ALREADY_EXISTS, "database taken is there");
        put(at(self->data, "db/%s", name), name, strlen(name));
      }
      return TROVE_OK;
    }
    static trove_status delete_database(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      char name[128];
      (void)call;
      text(request, "name", name, sizeof name);
      unlink(at(self->data, "db/%s", name));
      return TROVE_OK;
    }
    static trove_status list(self_t *self, trove_call *call, trove_str request, const char *directory, int users) {
      struct dirent **names;
      char marker[256], last[256] = "";
      text(request, "marker", marker, sizeof marker);
      trove_str limit_ = member(request, "limit");
      int limit = limit_.ptr ? atoi(limit_.ptr) : 1000, shown = 0, more = 0;
      int count = scandir(at(self->data, "%s", directory), &names, visible, alphasort);
      emit(call, "{\"%s\":[", users ? "users" : "databases");
      for (int i = 0; i < count; i++) {
        if (marker[0] && strcmp(names[i]->d_name, marker) <= 0) continue;
        if (shown == limit) { more = 1; break; }
        char *sign = strchr(names[i]->d_name, '@');
        strcpy(last, names[i]->d_name);
        if (users && sign) emit(call, "%s{\"name\":\"%.*s\",\"host\":\"%s\",\"databases\":[]}", shown ? "," : "",
                                (int)(sign - names[i]->d_name), names[i]->d_name, sign + 1);
        else emit(call, "%s{\"name\":\"%s\"}", shown ? "," : "", names[i]->d_name);
        shown++;
      }
      return more ? emit(call, "],\"next\":\"%s\"}", last) : emit(call, "],\"next\":null}");
    }
    static trove_status list_databases(void *own, trove_call *call, trove_str request) { return list(own, call, request, "db", 0); }
    static trove_status list_users(void *own, trove_call *call, trove_str request) { return list(own, call, request, "users", 1); }
    static const char *user_path(self_t *self, trove_str document) {
      char name[128], user_host[128];
      text(document, "name", name, sizeof name);
      if (!text(document, "host", user_host, sizeof user_host)) strcpy(user_host, "%");
      return at(self->data, "users/%s@%s", name, user_host);
    }
    /* A user's file: password, then a database a line. */
    static trove_status create_users(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      trove_str users = member(request, "users"), user, database;
      (void)call;
      for (size_t i = 0; each(users, &i, &user);) {
        char content[1024], name[128];
        text(user, "password", content, 128);
        strcat(content, "\n");
        trove_str databases = member(user, "databases");
        for (size_t j = 0; each(databases, &j, &database);) {
          text(database, "name", name, sizeof name);
          strcat(strcat(content, name), "\n");
        }
        put(user_path(self, user), content, strlen(content));
      }
      return TROVE_OK;
    }
    static trove_status delete_user(void *own, trove_call *call, trove_str request) {
      (void)call;
      unlink(user_path(own, request));
      return TROVE_OK;
    }
    static trove_status get_user(void *own, trove_call *call, trove_str request) {
      char content[1024], name[128], user_host[128], *rest = content;
      if (!get(user_path(own, request), content, sizeof content)) return fail(call, TROVE_NOT_FOUND, "no such user");
      text(request, "name", name, sizeof name);
      text(request, "host", user_host, sizeof user_host);
      strsep(&rest, "\n");
      emit(call, "{\"name\":\"%s\",\"host\":\"%s\",\"databases\":[", name, user_host);
      for (char *line, *comma = ""; (line = strsep(&rest, "\n")) && *line; comma = ",") emit(call, "%s{\"name\":\"%s\"}", comma, line);
      return emit(call, "]}");
    }
    static trove_status update_user(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      char content[1024], next[1200], value[128], name[128], user_host[128], path[1024];
      strcpy(path, user_path(self, request));
      if (!get(path, content, sizeof content)) return fail(call, TROVE_NOT_FOUND, "no such user");
      strcpy(next, content);
      if (text(request, "new_password", value, sizeof value)) snprintf(next, sizeof next, "%s%s", value, strchr(content, '\n'));
      if (!text(request, "new_name", name, sizeof name)) text(request, "name", name, sizeof name);
      if (!text(request, "new_host", user_host, sizeof user_host)) text(request, "host", user_host, sizeof user_host);
      unlink(path);
      put(at(self->data, "users/%s@%s", name, user_host), next, strlen(next));
      return TROVE_OK;
    }
    static trove_status grant_access(void *own, trove_call *call, trove_str request) {
      char content[1024];
      const char *path = user_path(own, request);
      if (!get(path, content, sizeof content)) return fail(call, TROVE_NOT_FOUND, "no such user");
      trove_str databases = member(request, "databases"), item;
      for (size_t i = 0; each(databases, &i, &item);) {
        strncat(content, item.ptr + 1, item.len - 2);
        strcat(content, "\n");
      }
      put(user_path(own, request), content, strlen(content));
      return TROVE_OK;
    }
    static trove_status revoke_access(void *own, trove_call *call, trove_str request) {
      char content[1024], next[1024] = "", name[128], *rest = content, *line;
      if (!get(user_path(own, request), content, sizeof content)) return fail(call, TROVE_NOT_FOUND, "no such user");
      text(request, "database", name, sizeof name);
      while ((line = strsep(&rest, "\n")) && (*line || !next[0])) if (strcmp(line, name)) strcat(strcat(next, line), "\n");
      put(user_path(own, request), next, strlen(next));
      return TROVE_OK;
    }
    static trove_status enable_root(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      char password[128];
      if (!text(request, "password", password, sizeof password)) strcpy(password, "made-up");
      put(at(self->data, "root"), password, strlen(password));
      return emit(call, "{\"name\":\"root\",\"password\":\"%s\"}", password);
    }
    static trove_status disable_root(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      (void)call; (void)request;
      unlink(at(self->data, "root"));
      return TROVE_OK;
    }
    static trove_status root_status(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      (void)request;
      return emit(call, "{\"enabled\":%s}", access(at(self->data, "root"), F_OK) ? "false" : "true");
    }

    static trove_status apply_configuration(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      trove_str values = member(request, "values"), config = member(request, "config_contents");
      if (member(values, "impossible").ptr) return fail(call, TROVE_INVALID_ARGUMENT, "the value is impossible");
      put(at(self->data, "values"), values.ptr, values.len);
      put(at(self->data, "config"), config.ptr, config.len);
      return emit(call, "{\"restart_required\":[%s]}", member(values, "slow").ptr ? "\"slow\"" : "");
    }

    /* ---- backup: "<path> <bytes>\n<content>" for db/ and blob; an increment has what comes after its parent's files ---- */
    static int write_all(const trove_ostream_1 *out, const char *bytes, size_t size) {
      while (size > 0) {
        int64_t done = out->write(out, bytes, size);
        if (done <= 0) return 0;
        bytes += done;
        size -= (size_t)done;
      }
      return 1;
    }
    static int archive(self_t *self, const char *name, const trove_ostream_1 *out) {
      struct stat info;
      const char *path = at(self->data, "%s", name);
      FILE *file = fopen(path, "r");
      if (!file || fstat(fileno(file), &info)) return 0;
      char *content = malloc((size_t)info.st_size + 512);
      int head = snprintf(content, 512, "%s %lld\n", name, (long long)info.st_size);
      size_t size = fread(content + head, 1, (size_t)info.st_size, file);
      int ok = write_all(out, content, (size_t)head + size);
      fclose(file);
      free(content);
      return ok;
    }
    static trove_status backup(void *own, trove_call *call, trove_str request, const trove_ostream_1 *out) {
      self_t *self = own;
      char type[32];
      text(request, "type", type, sizeof type);
      trove_str from = {NULL, 0};
      if (!strcmp(type, "incremental")) {
        trove_str parent = member(request, "parent");
        if (parent.ptr) from = member(parent, "files");
        if (!from.ptr) return fail(call, TROVE_INVALID_ARGUMENT, "the parent has no position");
      }
      struct dirent **names;
      if (!from.ptr && (behave(self, "blob-first") || access(at(self->data, "blob"), F_OK) == 0))
        if (!archive(self, "blob", out)) return fail(call, TROVE_UNAVAILABLE, "the stream is closed");
      if (behave(self, "backup-fail")) return fail(call, TROVE_INTERNAL, "the engine said no");
      put(at(self->run, "backup-began"), "1", 1);
      while (behave(self, "backup-slow")) {
        if (host->is_cancelled(call)) return fail(call, TROVE_CANCELLED, "stopped");
        usleep(2000);
      }
      int count = scandir(at(self->data, "db"), &names, visible, alphasort);
      for (int i = from.ptr ? atoi(from.ptr) : 0; i < count; i++) {
        char name[300];
        snprintf(name, sizeof name, "db/%s", names[i]->d_name);
        if (!archive(self, name, out)) return fail(call, TROVE_UNAVAILABLE, "the stream is closed");
      }
      return emit(call, "{\"position\":{\"files\":%d}}", count);
    }
    static trove_status restore(void *own, trove_call *call, trove_str request, const trove_istream_1 *in) {
      self_t *self = own;
      char type[32];
      text(request, "type", type, sizeof type);
      if (!strcmp(type, "incremental")) {
        if (access(at(self->data, "db"), F_OK)) return fail(call, TROVE_PRECONDITION_FAILED, "nothing to add to");
      } else {
        if (rmdir(self->data) == 0) mkdir(self->data, 0700);
        else return fail(call, TROVE_PRECONDITION_FAILED, "the directory is not empty");
        mkdir(at(self->data, "db"), 0700);
      }
      FILE *calls = fopen(at(self->run, "restores"), "a");
      fprintf(calls, "%.*s\n", (int)request.len, request.ptr);
      fclose(calls);
      if (behave(self, "restore-fail")) return fail(call, TROVE_INTERNAL, "cannot unpack");
      FILE *stream = fdopen(dup(in->fd), "r");
      char name[300];
      long long size;
      while (fscanf(stream, "%299s %lld", name, &size) == 2) {
        fgetc(stream);
        char *content = malloc((size_t)size + 1);
        size_t count = fread(content, 1, (size_t)size, stream);
        put(at(self->data, "%s", name), content, count);
        free(content);
        if (count != (size_t)size) { fclose(stream); return fail(call, TROVE_INVALID_ARGUMENT, "the archive is cut off"); }
      }
      fclose(stream);
      return TROVE_OK;
    }
    static trove_status post_restore(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      (void)call; (void)request;
      put(at(self->data, "post-restored"), "1", 1);
      return TROVE_OK;
    }

    /* ---- TLS: what was asked for last is in data/tls, what is in effect in data/tls-mode ---- */
    static trove_status apply_tls(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      char mode[32];
      put(at(self->data, "tls"), request.ptr, request.len);
      text(request, "mode", mode, sizeof mode);
      if (behave(self, "tls-fail") && !strcmp(mode, "enforced")) return fail(call, TROVE_INTERNAL, "the engine chokes");
      put(at(self->data, "tls-mode"), mode, strlen(mode));
      return emit(call, "{\"restart_required\":%s}", behave(self, "tls-late") ? "true" : "false");
    }
    static trove_status show_tls(void *own, trove_call *call, trove_str request) {
      self_t *self = own;
      char mode[32];
      (void)request;
      if (!get(at(self->data, "tls-mode"), mode, sizeof mode)) strcpy(mode, "off");
      return emit(call, "{\"status\":\"%s\",\"mode\":\"%s\"}", strcmp(mode, "off") ? "on" : "off", mode);
    }
    static const trove_tls_1 encryption = {sizeof encryption, 0, apply_tls, show_tls};

    static const trove_datastore_1 datastore = {
      sizeof datastore, 0, open_, close_, initialize, prepare, launch, started, status, backup_access, create_databases,
      delete_database, list_databases, create_users, delete_user, get_user, update_user, list_users, grant_access,
      revoke_access, enable_root, disable_root, root_status, .apply_configuration = apply_configuration};
    static const trove_backup_1 strategy = {sizeof strategy, TROVE_BACKUP_FULL | TROVE_BACKUP_INCREMENTAL, open_, close_, backup, restore, post_restore};

    static trove_status init(const trove_host_1 *h) {
      host = h;
      const trove_config_1 *config = h->get_extension(h, TROVE_EXT_CONFIG);
      text(config->get(h), "engine", engine, sizeof engine);
      return TROVE_OK;
    }
    static void deinit(void) {}
    /* Does with the host's services what the control half asks for. */
    static trove_status handle_peer(trove_call *call, trove_str request) {
      const trove_kv_1 *kv = host->get_extension(host, TROVE_EXT_KV);
      const trove_report_1 *report = host->get_extension(host, TROVE_EXT_REPORT);
      const trove_rpc_1 *rpc = host->get_extension(host, TROVE_EXT_RPC);
      char method[64], value[256];
      trove_str found;
      uint64_t revision;
      trove_status status;
      trove_str payload = member(request, "payload");
      text(request, "method", method, sizeof method);
      if (!strcmp(method, "keep")) {
        status = kv->put(call, (trove_str){"state", 5}, payload, TROVE_KV_ANY, &revision);
        return status == TROVE_OK ? emit(call, "%lld", (long long)revision) : status;
      }
      if (!strcmp(method, "kept")) {
        status = kv->get(call, (trove_str){"state", 5}, &found, NULL);
        return status == TROVE_OK ? host->emit(call, found.ptr, found.len) : status;
      }
      if (!strcmp(method, "report")) {
        text(payload, "kind", value, sizeof value);
        trove_str document = member(payload, "document");
        return report->report(host, call, (trove_str){value, strlen(value)}, document);
      }
      if (!strcmp(method, "up") || !strcmp(method, "foreign")) {
        const char *ask = !strcmp(method, "up") ? "{\"method\":\"up\",\"payload\":{\"a\":1}}"
                                                : "{\"instance_id\":\"other\",\"method\":\"up\",\"payload\":null}";
        status = rpc->call(call, (trove_str){ask, strlen(ask)}, &found);
        return status == TROVE_OK ? host->emit(call, found.ptr, found.len) : status;
      }
      return fail(call, TROVE_UNSUPPORTED, "no such method");
    }
    static const trove_rpc_peer_1 peer = {sizeof peer, 0, handle_peer};
    static const void *get_extension(const char *id) {
      if (!strcmp(id, TROVE_EXT_RPC_PEER)) return &peer;
      if (!strcmp(id, TROVE_EXT_DATASTORE)) return &datastore;
      if (!strcmp(id, TROVE_EXT_TLS)) return &encryption;
      return strcmp(id, TROVE_EXT_BACKUP) ? NULL : &strategy;
    }
    static const trove_plugin_1 plugin = {sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0,
                                          "org.example.files", "1.0.0", init, deinit, get_extension};
    const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
      (void)minor;
      return major == TROVE_ABI_MAJOR ? &plugin : NULL;
    }
    """#
