// SPDX-License-Identifier: Apache-2.0

/// A plugin with every table of ABI 1.0, each with no more than it must have. Macro `BREAK`: statements that change a
/// table before the host sees it.
enum TableSource {
    static let provides = [
        "trove.datastore/1", "trove.datastore-policy/1", "trove.backup/1", "trove.api-extension/1", "trove.actions/1",
        "trove.module-driver/1", "trove.rpc-peer/1",
    ]

    static let text = """
        #include "trove_actions.h"
        #include "trove_api_extension.h"
        #include "trove_backup.h"
        #include "trove_datastore.h"
        #include "trove_datastore_policy.h"
        #include "trove_module_driver.h"
        #include "trove_rpc_peer.h"
        #include <string.h>
        static trove_status f_open(trove_call *call, trove_str config, void **self) {
          (void)call; (void)config;
          *self = NULL;
          return TROVE_OK;
        }
        static void f_close(void *self) { (void)self; }
        static trove_status f_verb(void *self, trove_call *call, trove_str request) {
          (void)self; (void)call; (void)request;
          return TROVE_OK;
        }
        static trove_status f_pure(trove_call *call, trove_str request) { (void)call; (void)request; return TROVE_OK; }
        static trove_status f_status(void *self, trove_call *call, trove_service_status_1 *out) {
          (void)self; (void)call; (void)out;
          return TROVE_OK;
        }
        static trove_status f_backup(void *s, trove_call *c, trove_str r, const trove_ostream_1 *o) {
          (void)s; (void)c; (void)r; (void)o;
          return TROVE_OK;
        }
        static trove_status f_restore(void *s, trove_call *c, trove_str r, const trove_istream_1 *i) {
          (void)s; (void)c; (void)r; (void)i;
          return TROVE_OK;
        }
        static trove_status f_action(trove_call *call, int32_t number) { (void)call; (void)number; return TROVE_OK; }

        static trove_datastore_1 datastore = {
          .size = sizeof datastore, .open = f_open, .close = f_close, .prepare = f_verb, .launch = f_verb,
          .started = f_verb, .status = f_status};
        static trove_datastore_policy_1 policy = {
          .size = sizeof policy, .requirements = f_pure, .validate_create = f_pure, .render_configuration = f_pure};
        static trove_backup_1 backup = {
          .size = sizeof backup, .open = f_open, .close = f_close, .backup = f_backup, .restore = f_restore};
        static trove_route_1 routes[] = {
          {.size = sizeof(trove_route_1), .method = "GET", .path = "/instances/{id}/things", .policy = "instance:things",
           .handle = f_pure}};
        static trove_api_extension_1 api = {sizeof api, 1, routes};
        static trove_arg_1 args[] = {{"number", TROVE_T_I32, 0, "a number"}};
        static trove_action_1 items[] = {
          {.size = sizeof(trove_action_1), .name = "act", .summary = "Acts", .args = args, .arg_count = 1,
           .fn = (trove_fn)f_action}};
        static trove_actions_1 actions = {sizeof actions, 1, items};
        static trove_module_driver_1 driver = {.size = sizeof driver, .type = "thing", .apply = f_pure};
        static trove_rpc_peer_1 peer = {.size = sizeof peer, .handle = f_pure};

        static trove_status init(const trove_host_1 *given) { (void)given; return TROVE_OK; }
        static void deinit(void) {}
        static const void *extension(const char *id) {
          if (strcmp(id, TROVE_EXT_DATASTORE) == 0) return &datastore;
          if (strcmp(id, TROVE_EXT_DATASTORE_POLICY) == 0) return &policy;
          if (strcmp(id, TROVE_EXT_BACKUP) == 0) return &backup;
          if (strcmp(id, TROVE_EXT_API_EXTENSION) == 0) return &api;
          if (strcmp(id, TROVE_EXT_ACTIONS) == 0) return &actions;
          if (strcmp(id, TROVE_EXT_MODULE_DRIVER) == 0) return &driver;
          if (strcmp(id, TROVE_EXT_RPC_PEER) == 0) return &peer;
          return NULL;
        }
        static trove_plugin_1 plugin = {
          sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, ID, "1.0.0", init, deinit, extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
        #ifdef BREAK
          BREAK;
        #endif
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }

        """
}
