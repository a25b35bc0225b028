/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* What the host does for plugins. Ask for a table in init, keep the pointer. One that the plugin cannot do without is
   listed under "requires" in its manifest. */
#ifndef TROVE_SERVICES_H
#define TROVE_SERVICES_H
#include "trove_plugin.h"
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

#ifdef __cplusplus
}
#endif
#endif
