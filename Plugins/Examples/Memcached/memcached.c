/* SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0 */
/* memcached as a datastore: what the plugin is called and what it offers. */
#include "tables.h"
#include "trove_plugin_kit.h"

static trove_status init(const trove_host_1 *host) { return kit_init(host); }

static void deinit(void) {}

static const void *get_extension(const char *id) {
  if (strcmp(id, TROVE_EXT_DATASTORE) == 0) return &memcached_datastore;
  if (strcmp(id, TROVE_EXT_DATASTORE_POLICY) == 0) return &memcached_policy;
  return NULL;
}

static const trove_plugin_1 plugin = {
    sizeof(trove_plugin_1), TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, "org.example.memcached", "1.0.0", init, deinit,
    get_extension};

const trove_plugin_1 *trove_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_minor;
  return host_major == TROVE_ABI_MAJOR ? &plugin : NULL;
}
