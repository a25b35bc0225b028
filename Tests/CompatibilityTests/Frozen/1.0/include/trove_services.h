/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* What the host does for plugins. Ask for a table in init, keep the pointer. One that the plugin cannot do without is
   listed under "requires" in its manifest. */
#ifndef TROVE_SERVICES_H
#define TROVE_SERVICES_H
#include "trove_plugin.h"
#include "trove_stream.h"
#ifdef __cplusplus
extern "C" {
#endif

/* ---- trove.log/1: everywhere ---- */
#define TROVE_EXT_LOG "trove.log/1"
enum {
  TROVE_LOG_TRACE = 0,
  TROVE_LOG_DEBUG = 1,
  TROVE_LOG_INFO = 2,
  TROVE_LOG_NOTICE = 3,
  TROVE_LOG_WARNING = 4,
  TROVE_LOG_ERROR = 5,
  TROVE_LOG_CRITICAL = 6
};
typedef struct trove_log_1 {
  uint32_t size, flags;
  /* One line. The host adds plugin id, request id and instance id. call may be NULL outside of calls. message is
     constant text; data goes into fields, a JSON object, or empty. No secrets. [any] */
  void (*log)(const trove_host_1 *host, trove_call *call, int32_t level, trove_str message, trove_str fields);
} trove_log_1;

/* ---- trove.config/1: everywhere ---- */
#define TROVE_EXT_CONFIG "trove.config/1"
typedef struct trove_config_1 {
  uint32_t size, flags;
  /* The plugin's own section of the operator's configuration, a JSON object ({} without one). Valid until deinit has
     returned. [any] */
  trove_str (*get)(const trove_host_1 *host);
} trove_config_1;

/* ---- trove.process/1: in the guest ---- */
#define TROVE_EXT_PROCESS "trove.process/1"
typedef struct trove_process_1 {
  uint32_t size, flags;
  /* Runs a program to its end. Plugins never fork.
     request: schemas/process-request.json, e.g. {"argv": ["/usr/bin/tool", "--flag"], "as": "engine"}. No shell; argv[0]
     is an absolute path. "as": "engine" runs with the instance's uid inside its limits, "agent" as the agent itself.
     stdin_fd: given to the child as descriptor 0, -1 for nothing. stdout_fd: as descriptor 1; -1 collects up to 1 MiB
     into the response. Neither is closed. Cancellation and the call's deadline kill the child's group.
     *response: schemas/process-response.json, {"exit_status": 0, "signal": null, "stdout": "", "stderr_tail": ""};
     borrowed until the call ends. TROVE_OK also for a non-zero exit; failures are those of starting it, TROVE_CANCELLED
     and TROVE_TIMED_OUT. A failure has been recorded with fail already: return the status. [call] */
  trove_status (*run)(trove_call *call, trove_str request, int32_t stdin_fd, int32_t stdout_fd, trove_str *response);
} trove_process_1;

/* ---- trove.control/1: in the API ---- */
#define TROVE_EXT_CONTROL "trove.control/1"
typedef struct trove_control_1 {
  uint32_t size, flags;
  /* Runs one of the control plane's own operations with the identity of the request being served.
     operation and request: schemas/control-operations.json, e.g. "guest.call" with {"instance_id", "verb", "arguments"}.
     *response: one JSON value, borrowed until the call ends. A failure has been recorded with fail already: return the
     status. [call] */
  trove_status (*call)(trove_call *call, trove_str operation, trove_str request, trove_str *response);
} trove_control_1;

/* ---- trove.kv/1: everywhere ----
   A few values that outlive the process: in the guest with the instance, in the control plane with the installation. The
   namespace is the plugin's id; versions of one plugin share it. */
#define TROVE_EXT_KV "trove.kv/1"
#define TROVE_KV_VALUE_MAX 65536u       /* bytes a value */
#define TROVE_KV_KEY_MAX 255u           /* bytes a key, printable ASCII */
#define TROVE_KV_ANY 0xffffffffffffffffu/* expected: whatever is there */
#define TROVE_KV_ABSENT 0u              /* expected: nothing may be there */
typedef struct trove_kv_1 {
  uint32_t size, flags;
  /* *value: borrowed until the call ends. *revision: 1 or more; NULL allowed. TROVE_NOT_FOUND without one. [call] */
  trove_status (*get)(trove_call *call, trove_str key, trove_str *value, uint64_t *revision);
  /* Stores a value if the key has the expected revision, else TROVE_PRECONDITION_FAILED. *revision: the new one; NULL
     allowed. TROVE_EXHAUSTED past 10,000 keys. [call] */
  trove_status (*put)(trove_call *call, trove_str key, trove_str value, uint64_t expected, uint64_t *revision);
  /* TROVE_OK also if there is none and expected is TROVE_KV_ANY. [call] */
  trove_status (*remove)(trove_call *call, trove_str key, uint64_t expected);
  /* Keys in ascending order. request: {"prefix", "after", "limit"}, all optional; limit at most 1,000. *response:
     {"keys": [{"key", "revision"}], "next": text or null}; borrowed until the call ends. [call] */
  trove_status (*list)(trove_call *call, trove_str request, trove_str *response);
} trove_kv_1;

/* ---- trove.http/1: everywhere ---- */
#define TROVE_EXT_HTTP "trove.http/1"
typedef struct trove_http_1 {
  uint32_t size, flags;
  /* One exchange; redirects are not followed. request: schemas/http-request.json. Only hosts on the operator's egress list
     for this plugin, else TROVE_PERMISSION_DENIED. body: the request's body, read to its end; NULL for the one in request,
     or none. sink: gets the response's body as it comes; NULL collects up to 1 MiB into *response. Both are the plugin's
     own tables (size, read or write, ctx; fd -1). *response: schemas/http-response.json; borrowed until the call ends.
     TROVE_OK for every status that a server sent; TROVE_UNAVAILABLE without an answer. Cancellation and the deadline end
     it. [call] */
  trove_status (*request)(trove_call *call, trove_str request, const trove_istream_1 *body, const trove_ostream_1 *sink,
                          trove_str *response);
} trove_http_1;

/* ---- trove.object-store/1: everywhere ----
   Objects of the plugin in a container of its own, in the project of the request or the instance. */
#define TROVE_EXT_OBJECT_STORE "trove.object-store/1"
typedef struct trove_object_store_1 {
  uint32_t size, flags;
  /* Writes the object to sink, the plugin's own table. TROVE_NOT_FOUND without one. [call] */
  trove_status (*get)(trove_call *call, trove_str name, const trove_ostream_1 *sink);
  /* Stores what source yields until its end, whole or not at all; replaces. name: 1 to 255 printable ASCII. [call] */
  trove_status (*put)(trove_call *call, trove_str name, const trove_istream_1 *source);
  /* TROVE_OK also if it is gone. [call] */
  trove_status (*remove)(trove_call *call, trove_str name);
  /* request: as trove_kv_1.list. *response: {"objects": [{"name", "bytes"}], "next": text or null}; borrowed until the
     call ends. [call] */
  trove_status (*list)(trove_call *call, trove_str request, trove_str *response);
} trove_object_store_1;

/* ---- trove.rpc/1: everywhere ----
   Reaches trove_rpc_peer_1 of the same plugin in the other role. */
#define TROVE_EXT_RPC "trove.rpc/1"
#define TROVE_RPC_PAYLOAD_MAX 1048576u
typedef struct trove_rpc_1 {
  uint32_t size, flags;
  /* Calls and waits. request: schemas/rpc-request.json, {"instance_id", "method", "payload"}; from the guest instance_id is
     the guest's own and may be absent, and the peer is in the control plane; from the control plane it names the guest.
     *response: what the peer emitted; borrowed until the call ends. The peer's failure is recorded already: return the
     status. [call] */
  trove_status (*call)(trove_call *call, trove_str request, trove_str *response);
  /* The same without an answer: TROVE_OK once the message is on its way. [call] */
  trove_status (*cast)(trove_call *call, trove_str request);
} trove_rpc_1;

/* ---- trove.metrics/1: everywhere ---- */
#define TROVE_EXT_METRICS "trove.metrics/1"
#define TROVE_METRIC_LABELS_MAX 4u
enum {
  TROVE_METRIC_COUNTER = 1,  /* record adds; never negative */
  TROVE_METRIC_GAUGE = 2,    /* record sets */
  TROVE_METRIC_HISTOGRAM = 3 /* record observes, in seconds or bytes */
};
typedef struct trove_metric trove_metric;
typedef struct trove_metrics_1 {
  uint32_t size, flags;
  /* Makes a metric; in init only. name: lower-case words and '_'; it is shown as trove_plugin_<name> with the label
     plugin="<id>". help: one line. labels: names, at most TROVE_METRIC_LABELS_MAX. NULL if that is not allowed, which is
     logged. At most 64 metrics a plugin and 1,000 label values a metric, more are dropped and counted. [loader] */
  trove_metric *(*define)(const trove_host_1 *host, uint32_t kind, trove_str name, trove_str help, const trove_str *labels,
                          uint32_t label_count);
  /* metric may be NULL: nothing happens. values: one for each label, in order. [any] */
  void (*record)(trove_metric *metric, double value, const trove_str *values, uint32_t value_count);
} trove_metrics_1;

/* ---- trove.report/1: in the guest ---- */
#define TROVE_EXT_REPORT "trove.report/1"
typedef struct trove_report_1 {
  uint32_t size, flags;
  /* Tells the control plane what the plugin learnt by itself. kind and document:
       "service_status"  {"status": "healthy" | "starting" | "blocked" | "shutdown"}   until the agent asks again
       "root_enabled"    {}                                          the superuser was enabled on the engine itself
       "backup"          {"backup_id", "message"}                    a note for operators on a running backup
     TROVE_OK once it is kept for sending. call may be NULL. [any] */
  trove_status (*report)(const trove_host_1 *host, trove_call *call, trove_str kind, trove_str document);
} trove_report_1;

/* ---- trove.clock/1: everywhere ---- */
#define TROVE_EXT_CLOCK "trove.clock/1"
typedef struct trove_clock_1 {
  uint32_t size, flags;
  int64_t (*now_ns)(void);       /* nanoseconds since 1970-01-01 UTC [any] */
  int64_t (*monotonic_ns)(void); /* nanoseconds since some start; never goes back [any] */
  /* Waits. TROVE_CANCELLED or TROVE_TIMED_OUT as soon as the call shall stop. [call] */
  trove_status (*sleep_ns)(trove_call *call, int64_t nanoseconds);
} trove_clock_1;

/* ---- trove.thread-check/1: everywhere ---- */
#define TROVE_EXT_THREAD_CHECK "trove.thread-check/1"
typedef struct trove_thread_check_1 {
  uint32_t size, flags;
  int32_t (*is_worker)(void); /* non-zero on a thread that may run [worker] functions now [any] */
  int32_t (*is_loader)(void); /* non-zero on the thread that may run [loader] functions now [any] */
} trove_thread_check_1;

#ifdef __cplusplus
}
#endif
#endif
