// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import PluginHost

@Suite("Threads as plugins see them")
struct ThreadCheckTests {
    /// Writes one line for each function into the file `TRACE`: its name, is_worker, is_loader.
    private static let text = """
        #include "trove_datastore.h"
        #include "trove_services.h"
        #include <pthread.h>
        #include <stdio.h>
        #include <string.h>
        static const trove_thread_check_1 *threads;
        static void note(const char *name) {
          FILE *file = fopen(TRACE, "a");
          fprintf(file, "%s %d %d\\n", name, threads->is_worker() != 0, threads->is_loader() != 0);
          fclose(file);
        }
        static trove_status ds_open(trove_call *call, trove_str config, void **self) {
          (void)call; (void)config;
          *self = NULL;
          note("open");
          return TROVE_OK;
        }
        static void ds_close(void *self) { (void)self; note("close"); }
        static void *own(void *argument) { note("own"); return argument; }
        static trove_status ds_verb(void *self, trove_call *call, trove_str request) {
          (void)self; (void)call; (void)request;
          note("verb");
          pthread_t thread;
          pthread_create(&thread, NULL, own, NULL);
          pthread_join(thread, NULL);
          return TROVE_OK;
        }
        static trove_status ds_status(void *self, trove_call *call, trove_service_status_1 *out) {
          (void)self; (void)call; (void)out;
          note("status");
          return TROVE_OK;
        }
        static const trove_datastore_1 table = {
          .size = sizeof table, .open = ds_open, .close = ds_close, .prepare = ds_verb, .launch = ds_verb,
          .started = ds_verb, .status = ds_status};
        static trove_status init(const trove_host_1 *host) {
          threads = host->get_extension(host, TROVE_EXT_THREAD_CHECK);
          if (threads == NULL || threads->size != sizeof *threads) return TROVE_UNAVAILABLE;
          note("init");
          return TROVE_OK;
        }
        static void deinit(void) { note("deinit"); }
        static const void *extension(const char *id) {
          return strcmp(id, TROVE_EXT_DATASTORE) == 0 ? (const void *)&table : NULL;
        }
        static const trove_plugin_1 plugin = {
          sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, ID, "1.0.0", init, deinit, extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }

        """

    @Test("functions run on the threads of their tags, and a plugin's own thread is neither")
    func tags() async throws {
        try await withPluginDirectory { (directory) async throws in
            let trace = directory.root + "/../trace"
            try await directory.install("threads", [Unit(text: Self.text, macros: ["TRACE=\"\(trace)\""])])
            let registry = try directory.load(["threads"])
            #expect(registry.refusals == [])
            let session = try await DatastoreSession.open(
                registry, reference: "test.threads", config: [:], options: PluginDirectory.options())
            _ = try await session.call(.prepare, [:], PluginDirectory.options())
            _ = try await session.status(PluginDirectory.options())
            await session.close()
            registry.shutdown()
            let lines = try String(contentsOfFile: trace, encoding: .utf8).split(whereSeparator: \.isNewline)
            #expect(
                lines == ["init 0 1", "open 1 0", "verb 1 0", "own 0 0", "status 1 0", "close 1 0", "deinit 0 1"])
        }
    }
}
