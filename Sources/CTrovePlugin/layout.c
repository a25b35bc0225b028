/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The layouts of ABI 1, written down once; the compiler refuses a header that says otherwise. */
#include "draft/trove_cluster.h"
#include "draft/trove_replication.h"
#include "draft/trove_tls.h"
#include "trove_actions.h"
#include "trove_api_extension.h"
#include "trove_backup.h"
#include "trove_datastore.h"
#include "trove_datastore_policy.h"
#include "trove_module_driver.h"
#include "trove_plugin.h"
#include "trove_rpc_peer.h"
#include "trove_services.h"
#include "trove_stream.h"

#define LAYOUT(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has another size")
#define FIELD(type, field, at) _Static_assert(offsetof(type, field) == (at), #type "." #field " is elsewhere")

_Static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8, "64-bit only");

LAYOUT(trove_str, 16);
LAYOUT(trove_host_1, 112);
FIELD(trove_host_1, name, 16);
FIELD(trove_host_1, get_extension, 48);
FIELD(trove_host_1, complete, 104);
LAYOUT(trove_plugin_1, 56);
FIELD(trove_plugin_1, id, 16);
FIELD(trove_plugin_1, get_extension, 48);
LAYOUT(trove_istream_1, 24);
LAYOUT(trove_ostream_1, 24);
LAYOUT(trove_log_1, 16);
LAYOUT(trove_config_1, 16);
LAYOUT(trove_process_1, 16);
LAYOUT(trove_control_1, 16);
LAYOUT(trove_service_status_1, 24);
FIELD(trove_service_status_1, data_bytes, 8);
LAYOUT(trove_datastore_1, 224);
FIELD(trove_datastore_1, open, 8);
FIELD(trove_datastore_1, root_status, 168);
FIELD(trove_datastore_1, apply_configuration, 176);
FIELD(trove_datastore_1, set_log, 216);
LAYOUT(trove_datastore_policy_1, 56);
LAYOUT(trove_backup_1, 48);
LAYOUT(trove_route_1, 64);
LAYOUT(trove_api_extension_1, 16);
FIELD(trove_route_1, handle, 56);
LAYOUT(trove_arg_1, 24);
LAYOUT(trove_value_1, 24);
FIELD(trove_value_1, v, 8);
LAYOUT(trove_action_1, 56);
FIELD(trove_action_1, fn, 40);
LAYOUT(trove_actions_1, 16);
LAYOUT(trove_module_driver_1, 40);
LAYOUT(trove_rpc_peer_1, 16);
LAYOUT(trove_kv_1, 40);
LAYOUT(trove_http_1, 16);
LAYOUT(trove_object_store_1, 40);
LAYOUT(trove_rpc_1, 24);
LAYOUT(trove_metrics_1, 24);
LAYOUT(trove_report_1, 16);
LAYOUT(trove_clock_1, 32);
LAYOUT(trove_thread_check_1, 24);

/* Drafts: watched, not frozen. */
LAYOUT(trove_replication_1, 72);
LAYOUT(trove_cluster_1, 48);
LAYOUT(trove_tls_1, 24);
