/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* The guest half of a datastore: turns abstract verbs into one engine's own. */
#ifndef TROVE_DATASTORE_H
#define TROVE_DATASTORE_H
#include "trove_plugin.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_DATASTORE "trove.datastore/1"

/* The engine as the plugin sees it; travels from plugin to host. */
enum {
  TROVE_SERVICE_UNKNOWN = 0,
  TROVE_SERVICE_HEALTHY = 1,  /* answers over the instance's own address */
  TROVE_SERVICE_STARTING = 2, /* up, not yet answering */
  TROVE_SERVICE_BLOCKED = 3,  /* up, refuses work: read-only, full, out of connections */
  TROVE_SERVICE_SHUTDOWN = 4  /* does not answer */
};

/* The caller sets size and zeroes the rest; the callee writes nothing past size. */
typedef struct trove_service_status_1 {
  uint32_t size;
  uint32_t status;      /* TROVE_SERVICE_* */
  uint64_t data_bytes;  /* 0: not known */
  uint32_t connections; /* clients connected now */
  uint32_t reserved;
} trove_service_status_1;

/*
 * All functions [worker]; calls on one self never overlap. Requests and results are JSON documents, one a call; their
 * schemas are in schemas/<name>.json. A function that may be NULL is answered with TROVE_UNSUPPORTED by the host; for those
 * whose comment says "nothing to do" the host goes on without it.
 * Every function is idempotent: making what is there with the same content and deleting what is gone are TROVE_OK.
 */
typedef struct trove_datastore_1 {
  uint32_t size, flags;

  /* Makes the state for one instance. config: instance.json. *self is handed back to every function below; the engine
     may be running already (the agent was restarted), or not be installed yet. No I/O but small files. */
  trove_status (*open)(trove_call *call, trove_str config, void **self);
  /* Frees self. The engine goes on. */
  void (*close)(void *self);

  /* Fills the empty data directory of a template that later instances start from: no identity, no accounts that can
     log in from outside, no secrets. request: initialize-request.json. NULL: instances start from an empty volume. */
  trove_status (*initialize)(void *self, trove_call *call, trove_str request);
  /* Makes a data directory (a copy of the template, or restored from a backup) ready for its first start: configuration,
     identity, the administrator's account. The engine is not running. request: prepare-request.json. */
  trove_status (*prepare)(void *self, trove_call *call, trove_str request);
  /* Emits how to start the engine: launch.json. The host spawns, confines, supervises and stops it. request: {}. */
  trove_status (*launch)(void *self, trove_call *call, trove_str request);
  /* After the engine said that it is ready: returns TROVE_OK once an administrator's login over the instance's own
     address works, and removes what only the first start needed. request: {}. */
  trove_status (*started)(void *self, trove_call *call, trove_str request);
  /* Fills *out. Within 5 s. */
  trove_status (*status)(void *self, trove_call *call, trove_service_status_1 *out);

  /* Emits what a backup strategy needs: backup-access.json. request: {}. NULL: no backups. */
  trove_status (*backup_access)(void *self, trove_call *call, trove_str request);

  /* Databases. create: {"databases": [database.json]}. delete: {"name"}. list: page-request.json -> database-page.json.
     NULL: the engine has none. */
  trove_status (*create_databases)(void *self, trove_call *call, trove_str request);
  trove_status (*delete_database)(void *self, trove_call *call, trove_str request);
  trove_status (*list_databases)(void *self, trove_call *call, trove_str request);

  /* Users. create: {"users": [user.json]}. delete, get: {"name", "host"}. get -> user-view.json, TROVE_NOT_FOUND without
     one. update: user-update.json. list: page-request.json -> user-page.json. NULL: the engine has none. */
  trove_status (*create_users)(void *self, trove_call *call, trove_str request);
  trove_status (*delete_user)(void *self, trove_call *call, trove_str request);
  trove_status (*get_user)(void *self, trove_call *call, trove_str request);
  trove_status (*update_user)(void *self, trove_call *call, trove_str request);
  trove_status (*list_users)(void *self, trove_call *call, trove_str request);
  /* Grants. grant: {"name", "host", "databases": ["d"]}. revoke: {"name", "host", "database": "d"}. */
  trove_status (*grant_access)(void *self, trove_call *call, trove_str request);
  trove_status (*revoke_access)(void *self, trove_call *call, trove_str request);

  /* The superuser that tenants may ask for. enable: {"password": text or null} -> {"name", "password"}. disable: {}.
     status: {} -> {"enabled": bool}. NULL: the engine has none. */
  trove_status (*enable_root)(void *self, trove_call *call, trove_str request);
  trove_status (*disable_root)(void *self, trove_call *call, trove_str request);
  trove_status (*root_status)(void *self, trove_call *call, trove_str request);

  /* Makes changed configuration values effective: what the engine takes while it runs at once, everything for the next
     start. request: apply-configuration-request.json. Emits apply-configuration-result.json, which names the values that
     wait for a restart. Taking a value away is a null in "values". NULL: the engine's configuration cannot be changed. */
  trove_status (*apply_configuration)(void *self, trove_call *call, trove_str request);

  /* A change of the datastore version, one instance at a time. request, all three: upgrade-request.json. NULL: nothing to
     do at that moment.
     pre_upgrade: the old version's plugin, engine running: makes it ready, or refuses with TROVE_PRECONDITION_FAILED.
     upgrade: the new version's plugin, engine stopped: makes the data directory fit its programs.
     post_upgrade: the new version's plugin, engine running: finishes, e.g. system tables. */
  trove_status (*pre_upgrade)(void *self, trove_call *call, trove_str request);
  trove_status (*upgrade)(void *self, trove_call *call, trove_str request);
  trove_status (*post_upgrade)(void *self, trove_call *call, trove_str request);

  /* The engine's logs. list: {} -> log-list.json. set: {"name", "enabled": bool} -> {"restart_required": bool}, for logs
     of type "user"; those of type "sys" are always on. NULL: the engine has none beside its standard error. */
  trove_status (*list_logs)(void *self, trove_call *call, trove_str request);
  trove_status (*set_log)(void *self, trove_call *call, trove_str request);
} trove_datastore_1;

#ifdef __cplusplus
}
#endif
#endif
