// SPDX-License-Identifier: Apache-2.0

/// C texts of the plugins that the tests build.
enum PluginSource {
    /// What every plugin starts with.
    static let prelude = """
        #include "trove_actions.h"
        #include "trove_api_extension.h"
        #include "trove_backup.h"
        #include "trove_datastore.h"
        #include "trove_datastore_policy.h"
        #include "trove_module_driver.h"
        #include "trove_plugin.h"
        #include "trove_services.h"
        #include <poll.h>
        #include <pthread.h>
        #include <stdarg.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        static const trove_host_1 *host;
        static const trove_log_1 *logs;
        static trove_str text(const char *s) { return (trove_str){s, strlen(s)}; }
        static trove_status say(trove_call *call, const char *s) { return host->emit(call, s, strlen(s)); }
        static int has(trove_str request, const char *word) {
          return request.len > 0 && memmem(request.ptr, request.len, word, strlen(word)) != NULL;
        }
        static trove_status init(const trove_host_1 *given) {
          host = given;
          logs = host->get_extension(host, TROVE_EXT_LOG);
          return logs ? TROVE_OK : TROVE_UNAVAILABLE;
        }
        static void deinit(void) {}

        """

    /// What every plugin ends with; `extension` is the plugin's own. Macros make it wrong in one way each.
    static let ending = """

        #ifndef MAGIC
        #define MAGIC TROVE_MAGIC
        #endif
        #ifndef SIZE
        #define SIZE sizeof(trove_plugin_1)
        #endif
        #ifndef MAJOR
        #define MAJOR TROVE_ABI_MAJOR
        #endif
        #ifndef VERSION
        #define VERSION "1.0.0"
        #endif
        static const trove_plugin_1 plugin = {SIZE, MAGIC, MAJOR, 0, 0, ID, VERSION, init, deinit, extension};
        #ifdef ABORTS
        __attribute__((constructor)) static void stop(void) { abort(); }
        #endif
        #ifndef NO_ENTRY
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
        #ifdef NULL_ENTRY
          return NULL;
        #endif
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }
        #endif

        """

    /// A datastore whose verbs are what the calls' tests need.
    static let datastore = """
        struct state { int running, most; char config[256]; trove_call *stale; };
        static trove_status ds_open(trove_call *call, trove_str config, void **self) {
          if (has(config, "refuse"))
            return host->fail(call, TROVE_PRECONDITION_FAILED, text("not today"), text("{\\"errno\\":7}"));
          struct state *s = calloc(1, sizeof *s);
          memcpy(s->config, config.ptr, config.len < 255 ? config.len : 255);
          *self = s;
          return TROVE_OK;
        }
        static void ds_close(void *self) { free(self); }
        static trove_status ds_prepare(void *self, trove_call *call, trove_str request) {
          (void)self;
          if (has(request, "cancel-fd")) {
            host->progress(call, 1, text("waiting"));
            struct pollfd p = {host->cancel_fd(call), POLLIN, 0};
            poll(&p, 1, 20000);
            return host->is_cancelled(call) ? host->fail(call, TROVE_CANCELLED, text("stopped"), text("")) : TROVE_OK;
          }
          if (has(request, "ignore")) {
            while (!host->is_cancelled(call)) usleep(1000);
            usleep(400000);
            return TROVE_OK;
          }
          if (has(request, "time-left")) {
            char out[64];
            snprintf(out, sizeof out, "%lld", (long long)host->time_left_ns(call));
            return say(call, out);
          }
          if (has(request, "flood")) {
            static char megabyte[1 << 20];
            trove_status status = TROVE_OK;
            int times = 0;
            while (status == TROVE_OK && times < 64) { status = host->emit(call, megabyte, sizeof megabyte); times++; }
            return host->fail(call, status, text(times == 17 ? "capped at 16 MiB" : "wrong cap"), text(""));
          }
          if (has(request, "unknown-status")) return 4711;
          if (has(request, "no-json")) return say(call, "{broken");
          if (has(request, "silent")) return TROVE_BUSY;
          if (has(request, "log")) {
            logs->log(host, call, TROVE_LOG_NOTICE, text("plugin speaks"), text("{\\"n\\":1,\\"password\\":\\"p\\"}"));
            return TROVE_OK;
          }
          return host->emit(call, request.ptr, request.len);
        }
        static trove_status ds_launch(void *self, trove_call *call, trove_str request) {
          struct state *s = self;
          (void)request;
          int now = __atomic_add_fetch(&s->running, 1, __ATOMIC_SEQ_CST);
          if (now > s->most) s->most = now;
          usleep(2000);
          __atomic_sub_fetch(&s->running, 1, __ATOMIC_SEQ_CST);
          char out[32];
          snprintf(out, sizeof out, "%d", s->most);
          return say(call, out);
        }
        static void *finish_later(void *argument) {
          trove_call *call = argument;
          say(call, "\\"later\\"");
          host->complete(call, TROVE_OK);
          host->complete(call, TROVE_OK);
          return NULL;
        }
        static trove_status ds_started(void *self, trove_call *call, trove_str request) {
          struct state *s = self;
          if (has(request, "stale")) {
            say(s->stale, "1");
            host->progress(s->stale, 5, text("x"));
            host->complete(s->stale, TROVE_OK);
            return s->stale != NULL && host->is_cancelled(s->stale) ? TROVE_OK : TROVE_INTERNAL;
          }
          s->stale = call;
          if (has(request, "pending")) {
            pthread_t thread;
            pthread_create(&thread, NULL, finish_later, call);
            pthread_detach(thread);
            return TROVE_PENDING;
          }
          if (has(request, "at-once")) {
            host->complete(call, TROVE_OK);
            host->complete(call, TROVE_INTERNAL);
            return TROVE_PENDING;
          }
          return TROVE_OK;
        }
        static trove_status ds_status(void *self, trove_call *call, trove_service_status_1 *out) {
          (void)self; (void)call;
          if (out->size != sizeof *out) return TROVE_INTERNAL;
          out->status = TROVE_SERVICE_HEALTHY;
          out->data_bytes = 4096;
          out->connections = 3;
          return TROVE_OK;
        }
        static trove_status ds_configuration(void *self, trove_call *call, trove_str request) {
          (void)self; (void)request;
          const trove_config_1 *config = host->get_extension(host, TROVE_EXT_CONFIG);
          trove_str own = config->get(host);
          return host->emit(call, own.ptr, own.len);
        }
        static trove_status ds_run(void *self, trove_call *call, trove_str request) {
          (void)self;
          const trove_process_1 *process = host->get_extension(host, TROVE_EXT_PROCESS);
          if (process == NULL) return TROVE_UNSUPPORTED;
          trove_str response;
          trove_status status = process->run(call, request, -1, -1, &response);
          return status == TROVE_OK ? host->emit(call, response.ptr, response.len) : status;
        }
        static const trove_datastore_1 datastore = {
          .size = sizeof(trove_datastore_1), .open = ds_open, .close = ds_close, .prepare = ds_prepare,
          .launch = ds_launch, .started = ds_started, .status = ds_status, .list_users = ds_configuration,
          .get_user = ds_run};
        #ifndef TABLE
        #define TABLE &datastore
        #endif
        static const void *extension(const char *id) {
          return strcmp(id, TROVE_EXT_DATASTORE) == 0 ? (const void *)TABLE : NULL;
        }
        """

    static let backup = """
        #ifndef KINDS
        #define KINDS TROVE_BACKUP_FULL
        #endif
        static trove_status b_open(trove_call *call, trove_str config, void **self) {
          (void)call; (void)config;
          *self = NULL;
          return TROVE_OK;
        }
        static void b_close(void *self) { (void)self; }
        static trove_status b_backup(void *self, trove_call *call, trove_str request, const trove_ostream_1 *out) {
          (void)self;
          if (out->size != sizeof *out) return TROVE_INTERNAL;
          long long left = has(request, "endless") ? 1LL << 40 : 3000000;
          char block[65536];
          memset(block, 'b', sizeof block);
          while (left > 0) {
            int64_t n = out->write(out, block, left < (long long)sizeof block ? (size_t)left : sizeof block);
            if (n < 0)
              return host->fail(call, host->is_cancelled(call) ? TROVE_CANCELLED : TROVE_UNAVAILABLE, text("no room"), text(""));
            left -= n;
          }
          return say(call, "{\\"position\\":{\\"at\\":1}}");
        }
        static trove_status b_restore(void *self, trove_call *call, trove_str request, const trove_istream_1 *in) {
          (void)self; (void)request;
          char block[65536];
          long long count = 0;
          int64_t n;
          while ((n = in->read(in, block, sizeof block)) > 0) count += n;
          if (n < 0) return TROVE_CANCELLED;
          return count == 3000000 ? TROVE_OK : host->fail(call, TROVE_INVALID_ARGUMENT, text("short"), text(""));
        }
        static const trove_backup_1 backup = {
          sizeof(trove_backup_1), KINDS, b_open, b_close, b_backup, b_restore, NULL};
        static const void *extension(const char *id) { return strcmp(id, TROVE_EXT_BACKUP) == 0 ? &backup : NULL; }
        """

    /// Policy and routes. A request with the word `trap` traps; `hold` waits until cancelled.
    static let control = """
        static volatile int *nowhere;
        static trove_status p_requirements(trove_call *call, trove_str request) {
          if (has(request, "hold")) {
            host->progress(call, 10, text("holding"));
            struct pollfd p = {host->cancel_fd(call), POLLIN, 0};
            poll(&p, 1, 20000);
            return TROVE_CANCELLED;
          }
          return say(call, "{\\"ports\\":[1]}");
        }
        static trove_status p_validate(trove_call *call, trove_str request) {
          if (has(request, "trap")) *nowhere = 1;
          if (has(request, "abort")) abort();
          if (has(request, "wait-for")) {
            for (int i = 0; i < 500 && access(FLAG, F_OK) != 0; i++) usleep(10000);
          }
          return has(request, "wrong") ? host->fail(call, TROVE_INVALID_ARGUMENT, text("too small"), text("")) : TROVE_OK;
        }
        static trove_status p_render(trove_call *call, trove_str request) {
          (void)request;
          return say(call, "{\\"config_contents\\":\\"a\\"}");
        }
        static const trove_datastore_policy_1 policy = {
          sizeof(trove_datastore_policy_1), 0, p_requirements, p_validate, p_render};
        static trove_status r_list(trove_call *call, trove_str request) {
          const trove_control_1 *control = host->get_extension(host, TROVE_EXT_CONTROL);
          trove_str response;
          (void)request;
          trove_status status = control->call(call, text("guest.call"), text("{\\"verb\\":\\"list_users\\"}"), &response);
          return status == TROVE_OK ? host->emit(call, response.ptr, response.len) : status;
        }
        #ifndef ROUTE
        #define ROUTE "/instances/{id}/users"
        #endif
        static const trove_route_1 items[] = {
          {sizeof(trove_route_1), 0, "GET", ROUTE, "instance:extension:user:index", "Users", NULL, NULL, r_list}};
        static const trove_api_extension_1 api = {sizeof(trove_api_extension_1), 1, items};
        static const void *extension(const char *id) {
          if (strcmp(id, TROVE_EXT_DATASTORE_POLICY) == 0) return &policy;
          return strcmp(id, TROVE_EXT_API_EXTENSION) == 0 ? &api : NULL;
        }
        """
}
