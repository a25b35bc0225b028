// SPDX-License-Identifier: Apache-2.0

extension BothRolesPlugins {
    /// The manifest of the plugin in C, whose digest is filled in.
    static let manifestOfC = """
        {"manifest": 1, "id": "org.example.both-c", "version": "1.0.0", "summary": "Works in both roles, in C",
         "library": {"file": "both-c.so", "sha256": "", "abi": "1.0", "platform": "linux-x86_64-gnu"},
         "roles": ["guest", "control"],
         "provides": ["trove.actions/1", "trove.api-extension/1", "trove.rpc-peer/1"],
         "requires": ["trove.kv/1", "trove.object-store/1", "trove.rpc/1"],
         "routes": {"instances": ["c-peer"]},
         "actions": [
           {"name": "c_add", "summary": "Adds", "policy": "both:add", "role": "guest", "read_only": true, "args": [
             {"name": "a", "type": "i64", "summary": "one"},
             {"name": "b", "type": "i64", "summary": "other", "optional": true, "default": 1}]},
           {"name": "c_sign", "summary": "Signs", "policy": "both:sign", "role": "guest", "args": [
             {"name": "key", "type": "str", "summary": "the key", "secret": true}]},
           {"name": "c_remember", "summary": "Keeps", "policy": "both:remember", "role": "guest", "args": [
             {"name": "value", "type": "str", "summary": "what", "optional": true}]},
           {"name": "c_keep", "summary": "Stores and reads", "policy": "both:keep", "role": "guest", "args": [
             {"name": "name", "type": "str", "summary": "its name"},
             {"name": "text", "type": "str", "summary": "what it holds"}]},
           {"name": "c_ask", "summary": "Asks the other role", "policy": "both:ask", "role": "guest", "args": [
             {"name": "payload", "type": "json", "summary": "with what"}]},
           {"name": "c_note", "summary": "Keeps about an instance", "policy": "both:note", "role": "control", "args": [
             {"name": "instance_id", "type": "str", "summary": "the instance"},
             {"name": "value", "type": "str", "summary": "what", "optional": true}]}],
         "licence": "Apache-2.0"}
        """

    /// The plugin in C, against the headers and the SDK's helpers.
    static let code = #"""
        #include "trove_actions.h"
        #include "trove_api_extension.h"
        #include "trove_plugin_kit.h"
        #include "trove_rpc_peer.h"
        #include "trove_services.h"

        static const trove_kv_1 *kv;
        static const trove_object_store_1 *objects;
        static const trove_rpc_1 *rpc;
        static const trove_metrics_1 *metrics;
        static trove_metric *answered;

        /* ---- actions ---- */

        static trove_status add(trove_call *call, int64_t a, int64_t b) {
          kit_text out = {0};
          kit_add(&out, "{\"sum\":");
          kit_int(&out, a + b);
          kit_add(&out, ",\"pid\":");
          kit_int(&out, getpid());
          kit_add(&out, "}");
          return kit_emit(call, &out);
        }

        static trove_status sign(trove_call *call, const trove_str *key) {
          kit_text out = {0};
          kit_add(&out, "{\"bytes\":");
          kit_int(&out, (int64_t)key->len);
          kit_add(&out, "}");
          return kit_emit(call, &out);
        }

        static trove_status exchange(trove_call *call, trove_str key, const trove_str *value) {
          uint64_t revision = 0;
          trove_str kept = {NULL, 0};
          kit_text out = {0};
          if (value != NULL) {
            trove_status stored = kv->put(call, key, *value, TROVE_KV_ANY, NULL);
            if (stored != TROVE_OK) return stored;
          }
          trove_status found = kv->get(call, key, &kept, &revision);
          if (found != TROVE_OK && found != TROVE_NOT_FOUND) return found;
          kit_add(&out, "{\"value\":");
          if (found == TROVE_OK) kit_quote(&out, kept);
          else kit_add(&out, "null");
          kit_add(&out, ",\"revision\":");
          kit_int(&out, (int64_t)revision);
          kit_add(&out, "}");
          return kit_emit(call, &out);
        }

        static trove_status remember(trove_call *call, const trove_str *value) {
          return exchange(call, kit_str("value"), value);
        }

        static trove_status note(trove_call *call, const trove_str *instance, const trove_str *value) {
          kit_text key = {0};
          kit_add(&key, "note/");
          kit_bytes(&key, instance->ptr, instance->len);
          trove_str name = {key.ptr, key.len};
          trove_status status = exchange(call, name, value);
          kit_free(&key);
          return status;
        }

        static int64_t read_rest(const trove_istream_1 *stream, void *buffer, size_t capacity) {
          trove_str *rest = (trove_str *)stream->ctx;
          size_t count = rest->len < capacity ? rest->len : capacity;
          if (count > 0) memcpy(buffer, rest->ptr, count);
          rest->ptr += count;
          rest->len -= count;
          return (int64_t)count;
        }

        static int64_t write_all(const trove_ostream_1 *stream, const void *data, size_t count) {
          kit_bytes((kit_text *)stream->ctx, (const char *)data, count);
          return (int64_t)count;
        }

        static trove_status keep(trove_call *call, const trove_str *name, const trove_str *text) {
          trove_str rest = *text;
          kit_text read = {0}, out = {0};
          trove_istream_1 source = {sizeof source, -1, &rest, read_rest};
          trove_ostream_1 sink = {sizeof sink, -1, &read, write_all};
          trove_status status = objects->put(call, *name, &source);
          if (status == TROVE_OK) status = objects->get(call, *name, &sink);
          if (status == TROVE_OK) status = objects->remove(call, *name);
          if (status == TROVE_OK) {
            trove_str kept = {read.ptr, read.len};
            kit_add(&out, "{\"text\":");
            kit_quote(&out, kept);
            kit_add(&out, "}");
            status = kit_emit(call, &out);
          }
          kit_free(&read);
          return status;
        }

        /* Asks the same plugin in the other role, and emits its answer between two texts. */
        static trove_status pass(trove_call *call, trove_str instance, trove_str payload, const char *before, const char *after) {
          trove_str response = {NULL, 0};
          kit_text request = {0}, out = {0};
          kit_add(&request, "{\"method\":\"about\",\"payload\":");
          kit_bytes(&request, payload.ptr, payload.len);
          if (instance.len > 0) {
            kit_add(&request, ",\"instance_id\":");
            kit_bytes(&request, instance.ptr, instance.len);
          }
          kit_add(&request, "}");
          trove_str text = {request.ptr, request.len};
          trove_status status = rpc->call(call, text, &response);
          kit_free(&request);
          if (status != TROVE_OK) return status;
          kit_add(&out, before);
          kit_bytes(&out, response.ptr, response.len);
          kit_add(&out, after);
          return kit_emit(call, &out);
        }

        static trove_status ask(trove_call *call, const trove_str *payload) {
          trove_str none = {NULL, 0};
          return pass(call, none, *payload, "", "");
        }

        static const trove_arg_1 add_args[] = {{"a", TROVE_T_I64, 0, "one"}, {"b", TROVE_T_I64, TROVE_ARG_OPTIONAL, "other"}};
        static const trove_arg_1 sign_args[] = {{"key", TROVE_T_STR, TROVE_ARG_SECRET, "the key"}};
        static const trove_arg_1 remember_args[] = {{"value", TROVE_T_STR, TROVE_ARG_OPTIONAL, "what"}};
        static const trove_arg_1 keep_args[] = {{"name", TROVE_T_STR, 0, "its name"}, {"text", TROVE_T_STR, 0, "what it holds"}};
        static const trove_arg_1 ask_args[] = {{"payload", TROVE_T_JSON, 0, "with what"}};
        static const trove_arg_1 note_args[] = {
            {"instance_id", TROVE_T_STR, 0, "the instance"}, {"value", TROVE_T_STR, TROVE_ARG_OPTIONAL, "what"}};
        typedef trove_status (*one_text)(trove_call *, const trove_str *);
        typedef trove_status (*two_texts)(trove_call *, const trove_str *, const trove_str *);
        static const trove_action_1 items[] = {
            {sizeof(trove_action_1), TROVE_ACTION_READ_ONLY, "c_add", "Adds", add_args, 2, 0,
             TROVE_TYPED_FN(add, trove_status(*)(trove_call *, int64_t, int64_t)), NULL},
            {sizeof(trove_action_1), 0, "c_sign", "Signs", sign_args, 1, 0, TROVE_TYPED_FN(sign, one_text), NULL},
            {sizeof(trove_action_1), 0, "c_remember", "Keeps", remember_args, 1, 0, TROVE_TYPED_FN(remember, one_text), NULL},
            {sizeof(trove_action_1), 0, "c_keep", "Stores and reads", keep_args, 2, 0, TROVE_TYPED_FN(keep, two_texts), NULL},
            {sizeof(trove_action_1), 0, "c_ask", "Asks the other role", ask_args, 1, 0, TROVE_TYPED_FN(ask, one_text), NULL},
            {sizeof(trove_action_1), 0, "c_note", "Keeps about an instance", note_args, 2, 0, TROVE_TYPED_FN(note, two_texts), NULL},
        };
        static const trove_actions_1 actions = {sizeof(trove_actions_1), 6, items};

        /* ---- the route and the peer ---- */

        static trove_status show_peer(trove_call *call, trove_str request) {
          trove_str id = kit_member(kit_member(request, "parameters"), "id");
          return pass(call, id, kit_str("[1,2]"), "{\"status\":200,\"body\":", "}");
        }

        static trove_status answer(trove_call *call, trove_str request) {
          kit_text out = {0};
          trove_str payload = kit_member(request, "payload");
          metrics->record(answered, 1, NULL, 0);
          kit_add(&out, "{\"from\":");
          trove_str from = kit_member(request, "from"), instance = kit_member(request, "instance_id");
          kit_bytes(&out, from.ptr, from.len);
          kit_add(&out, ",\"instance_id\":");
          kit_bytes(&out, instance.ptr, instance.len);
          kit_add(&out, ",\"payload\":");
          if (payload.ptr == NULL) kit_add(&out, "null");
          else kit_bytes(&out, payload.ptr, payload.len);
          kit_add(&out, ",\"pid\":");
          kit_int(&out, getpid());
          kit_add(&out, "}");
          return kit_emit(call, &out);
        }

        static const trove_route_1 routes[] = {{.size = sizeof(trove_route_1),
                                                .method = "GET",
                                                .path = "/instances/{id}/c-peer",
                                                .policy = "both:peer",
                                                .summary = "Asks the guest",
                                                .handle = show_peer}};
        static const trove_api_extension_1 extension = {sizeof(trove_api_extension_1), 1, routes};
        static const trove_rpc_peer_1 peer = {sizeof(trove_rpc_peer_1), 0, answer};

        /* ---- the plugin ---- */

        static trove_status init(const trove_host_1 *host) {
          trove_status status = kit_init(host);
          if (status != TROVE_OK) return status;
          kv = (const trove_kv_1 *)kit_service(TROVE_EXT_KV, sizeof(trove_kv_1));
          objects = (const trove_object_store_1 *)kit_service(TROVE_EXT_OBJECT_STORE, sizeof(trove_object_store_1));
          rpc = (const trove_rpc_1 *)kit_service(TROVE_EXT_RPC, sizeof(trove_rpc_1));
          metrics = (const trove_metrics_1 *)kit_service(TROVE_EXT_METRICS, sizeof(trove_metrics_1));
          if (kv == NULL || objects == NULL || rpc == NULL || metrics == NULL) return TROVE_PRECONDITION_FAILED;
          answered = metrics->define(
              host, TROVE_METRIC_COUNTER, kit_str("both_c_answered"), kit_str("Messages that were answered."), NULL, 0);
          return TROVE_OK;
        }

        static void deinit(void) {}

        static const void *get_extension(const char *id) {
          if (strcmp(id, TROVE_EXT_ACTIONS) == 0) return &actions;
          if (strcmp(id, TROVE_EXT_API_EXTENSION) == 0) return &extension;
          if (strcmp(id, TROVE_EXT_RPC_PEER) == 0) return &peer;
          return NULL;
        }

        static const trove_plugin_1 plugin = {
            sizeof(trove_plugin_1), TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, "org.example.both-c", "1.0.0", init, deinit,
            get_extension};

        __attribute__((visibility("default"))) const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }
        """#
}
