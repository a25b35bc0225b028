// SPDX-License-Identifier: Apache-2.0

extension PluginSource {
    /// A policy half that does with the host's services what the request's first word says, and answers what it got; a
    /// peer that echoes. The request is a JSON text: `"<word> <argument> <argument>"`.
    static let services = """
        #include "trove_rpc_peer.h"
        static const trove_kv_1 *kv;
        static const trove_http_1 *http;
        static const trove_object_store_1 *objects;
        static const trove_rpc_1 *rpc;
        static const trove_metrics_1 *metrics;
        static const trove_clock_1 *hostclock;
        static const trove_thread_check_1 *threads;
        static trove_metric *counter, *late, *spread;
        static int was_loader;
        static void find_services(void) {
          kv = host->get_extension(host, TROVE_EXT_KV);
          http = host->get_extension(host, TROVE_EXT_HTTP);
          objects = host->get_extension(host, TROVE_EXT_OBJECT_STORE);
          rpc = host->get_extension(host, TROVE_EXT_RPC);
          metrics = host->get_extension(host, TROVE_EXT_METRICS);
          hostclock = host->get_extension(host, TROVE_EXT_CLOCK);
          threads = host->get_extension(host, TROVE_EXT_THREAD_CHECK);
          trove_str labels[] = {text("kind")};
          counter = metrics->define(host, TROVE_METRIC_COUNTER, text("things_total"), text("Things."), labels, 1);
          spread = metrics->define(host, TROVE_METRIC_HISTOGRAM, text("spread"), text("Spread."), NULL, 0);
          metrics->define(host, TROVE_METRIC_GAUGE, text("Bad Name"), text(""), NULL, 0);
          was_loader = threads->is_loader() && !threads->is_worker();
        }
        static long long number(const char *at) { return strtoll(at, NULL, 10); }
        struct stream { long long left, bytes; int fails; unsigned sum; };
        static int64_t pull(const trove_istream_1 *s, void *buffer, size_t capacity) {
          struct stream *own = s->ctx;
          if (own->fails && own->left < own->bytes / 2) return -1;
          size_t n = (long long)capacity < own->left ? capacity : (size_t)own->left;
          memset(buffer, 'p', n);
          own->left -= (long long)n;
          return (int64_t)n;
        }
        static int64_t push(const trove_ostream_1 *s, const void *data, size_t n) {
          struct stream *own = s->ctx;
          const unsigned char *bytes = data;
          for (size_t i = 0; i < n; i++) own->sum += bytes[i];
          own->bytes += (long long)n;
          return own->fails ? -1 : (int64_t)n;
        }
        static trove_status tell(trove_call *call, const char *format, long long a, long long b) {
          char out[256];
          snprintf(out, sizeof out, format, a, b);
          return say(call, out);
        }
        static trove_status quoted(trove_call *call, trove_str value) {
          say(call, "\\"");
          host->emit(call, value.ptr, value.len);
          return say(call, "\\"");
        }
        static trove_status p_requirements(trove_call *call, trove_str request) {
          char copy[80000] = {0}, *words[4] = {0}, *save = NULL;
          size_t length = request.len < 2 ? 0 : request.len - 2;
          if (length >= sizeof copy) length = sizeof copy - 1;
          memcpy(copy, request.ptr + 1, length);
          words[0] = strtok_r(copy, " ", &save);
          for (int i = 1; i < 4 && words[i - 1]; i++) words[i] = strtok_r(NULL, i == 3 ? "" : " ", &save);
          const char *word = words[0] ? words[0] : "";
          trove_str one = text(words[1] ? words[1] : ""), answer = {0};
          uint64_t revision = 7;
          trove_status status;
          if (!strcmp(word, "put")) {
            uint64_t expected = !strcmp(words[2], "any") ? TROVE_KV_ANY : (uint64_t)number(words[2]);
            status = kv->put(call, one, text(words[3] ? words[3] : ""), expected, &revision);
            return status == TROVE_OK ? tell(call, "%lld", (long long)revision, 0) : status;
          }
          if (!strcmp(word, "get")) {
            status = kv->get(call, one, &answer, &revision);
            return status == TROVE_OK ? quoted(call, answer) : status;
          }
          if (!strcmp(word, "remove")) return kv->remove(call, one, words[2] ? (uint64_t)number(words[2]) : TROVE_KV_ANY);
          if (!strcmp(word, "keys")) {
            char list[256];
            snprintf(list, sizeof list, "{\\"prefix\\":\\"%s\\",\\"limit\\":%s}", words[1], words[2]);
            status = kv->list(call, text(list), &answer);
            return status == TROVE_OK ? host->emit(call, answer.ptr, answer.len) : status;
          }
          if (!strcmp(word, "raw-key")) return kv->get(call, (trove_str){NULL, 0}, &answer, NULL);
          if (!strcmp(word, "nul-key")) return kv->get(call, (trove_str){"a\\0b", 3}, &answer, NULL);
          if (!strcmp(word, "long-key")) {
            static char key[300];
            memset(key, 'k', sizeof key);
            return kv->get(call, (trove_str){key, 256}, &answer, NULL);
          }
          if (!strcmp(word, "big-value")) {
            static char value[65537];
            return kv->put(call, text("big"), (trove_str){value, (size_t)number(words[1])}, TROVE_KV_ANY, NULL);
          }
          if (!strcmp(word, "http")) {
            char ask[1024];
            snprintf(ask, sizeof ask, "{\\"method\\":\\"GET\\",\\"url\\":\\"%s\\"}", words[1]);
            status = http->request(call, text(ask), NULL, NULL, &answer);
            return status == TROVE_OK ? host->emit(call, answer.ptr, answer.len) : status;
          }
          if (!strcmp(word, "download")) {
            char ask[1024];
            struct stream own = {0};
            trove_ostream_1 sink = {sizeof sink, -1, &own, push};
            snprintf(ask, sizeof ask, "{\\"method\\":\\"GET\\",\\"url\\":\\"%s\\"}", words[1]);
            status = http->request(call, text(ask), NULL, &sink, &answer);
            return status == TROVE_OK ? tell(call, "%lld", own.bytes, 0) : status;
          }
          if (!strcmp(word, "upload")) {
            char ask[1024];
            struct stream own = {.left = number(words[2]), .bytes = number(words[2])};
            trove_istream_1 body = {sizeof body, -1, &own, pull};
            snprintf(ask, sizeof ask, "{\\"method\\":\\"PUT\\",\\"url\\":\\"%s\\"}", words[1]);
            status = http->request(call, text(ask), &body, NULL, &answer);
            return status == TROVE_OK ? host->emit(call, answer.ptr, answer.len) : status;
          }
          if (!strcmp(word, "store")) {
            struct stream own = {.left = number(words[2]), .bytes = number(words[2]), .fails = words[3] != NULL};
            trove_istream_1 source = {sizeof source, -1, &own, pull};
            return objects->put(call, one, &source);
          }
          if (!strcmp(word, "fetch")) {
            struct stream own = {0};
            trove_ostream_1 sink = {sizeof sink, -1, &own, push};
            status = objects->get(call, one, &sink);
            return status == TROVE_OK ? tell(call, "[%lld,%lld]", own.bytes, own.sum) : status;
          }
          if (!strcmp(word, "drop")) return objects->remove(call, one);
          if (!strcmp(word, "objects")) {
            status = objects->list(call, text("{}"), &answer);
            return status == TROVE_OK ? host->emit(call, answer.ptr, answer.len) : status;
          }
          if (!strcmp(word, "call") || !strcmp(word, "cast")) {
            char ask[1024];
            snprintf(ask, sizeof ask, "{\\"instance_id\\":\\"%s\\",\\"method\\":\\"%s\\",\\"payload\\":[1]}", words[1], words[2]);
            if (!strcmp(word, "cast")) return rpc->cast(call, text(ask));
            status = rpc->call(call, text(ask), &answer);
            return status == TROVE_OK ? host->emit(call, answer.ptr, answer.len) : status;
          }
          if (!strcmp(word, "measure")) {
            trove_str values[] = {one};
            for (long long i = 0; i < number(words[2]); i++) metrics->record(counter, 1, values, 1);
            metrics->record(counter, -1, values, 1);
            metrics->record(counter, 1, NULL, 0);
            metrics->record(spread, 0.002, NULL, 0);
            metrics->record(NULL, 1, NULL, 0);
            metrics->record((trove_metric *)(uintptr_t)987654321, 1, NULL, 0);
            late = metrics->define(host, TROVE_METRIC_GAUGE, text("late"), text(""), NULL, 0);
            return tell(call, "%lld", late == NULL, 0);
          }
          if (!strcmp(word, "sleep")) return hostclock->sleep_ns(call, number(words[1]) * 1000000);
          if (!strcmp(word, "clock")) {
            int64_t before = hostclock->monotonic_ns();
            status = hostclock->sleep_ns(call, 3000000);
            return status != TROVE_OK ? status : tell(call, "[%lld,%lld]", hostclock->monotonic_ns() - before, hostclock->now_ns());
          }
          if (!strcmp(word, "threads"))
            return tell(call, "[%lld,%lld]", was_loader, threads->is_worker() * 10 + threads->is_loader());
          if (!strcmp(word, "chatter")) {
            for (long long i = 0; i < number(words[1]); i++) logs->log(host, call, TROVE_LOG_NOTICE, text("chatter"), text(""));
            return TROVE_OK;
          }
          return host->fail(call, TROVE_UNSUPPORTED, text("no such word"), text(""));
        }
        static trove_status p_none(trove_call *call, trove_str request) { (void)call; (void)request; return TROVE_OK; }
        static const trove_datastore_policy_1 policy = {
          sizeof(trove_datastore_policy_1), 0, p_requirements, p_none, p_none};
        static trove_status answer_peer(trove_call *call, trove_str request) {
          if (has(request, "\\"refuse\\"")) return host->fail(call, TROVE_BUSY, text("not now"), text(""));
          return host->emit(call, request.ptr, request.len);
        }
        static const trove_rpc_peer_1 peer = {sizeof(trove_rpc_peer_1), 0, answer_peer};
        static const void *extension(const char *id) {
          if (strcmp(id, TROVE_EXT_DATASTORE_POLICY) == 0) return &policy;
          return strcmp(id, TROVE_EXT_RPC_PEER) == 0 ? &peer : NULL;
        }
        #define init init_with_services
        static trove_status init_with_services(const trove_host_1 *given) {
        #undef init
          trove_status status = init(given);
          if (status == TROVE_OK) find_services();
          return status;
        }
        #define init init_with_services
        """
}
