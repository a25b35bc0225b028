/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* A backup strategy: yields or eats the engine's bytes. Compression, encryption, checksums and the object store are the
   host's. */
#ifndef TROVE_BACKUP_H
#define TROVE_BACKUP_H
#include "trove_plugin.h"
#include "trove_stream.h"
#ifdef __cplusplus
extern "C" {
#endif

#define TROVE_EXT_BACKUP "trove.backup/1"

enum {
  TROVE_BACKUP_FULL = 1u,       /* makes full backups */
  TROVE_BACKUP_INCREMENTAL = 2u /* makes backups relative to a parent */
};

/* Functions [worker]; calls on one self never overlap. Documents: schemas/<name>.json. */
typedef struct trove_backup_1 {
  uint32_t size;
  uint32_t flags; /* TROVE_BACKUP_* that it can do */
  /* config: backup-config.json, the instance's document; for a backup with "access", what the datastore's
     backup_access emitted. */
  trove_status (*open)(trove_call *call, trove_str config, void **self);
  void (*close)(void *self);
  /* Writes a consistent copy to out. Long. request: backup-request.json. Emits backup-result.json, whose "position" the
     host keeps and gives back as "parent" of an increment. */
  trove_status (*backup)(void *self, trove_call *call, trove_str request, const trove_ostream_1 *out);
  /* Fills the empty data directory from in. Long. request: restore-request.json. A repeat starts from an empty
     directory again. */
  trove_status (*restore)(void *self, trove_call *call, trove_str request, const trove_istream_1 *in);
  /* Makes what restore left ready for the datastore's prepare. Same request. NULL: nothing to do. */
  trove_status (*post_restore)(void *self, trove_call *call, trove_str request);
} trove_backup_1;

#ifdef __cplusplus
}
#endif
#endif
