// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A host in C that follows the rules of negotiation with the numbers and tables of the headers it is compiled against.
///
/// `host LIBRARY` says what it makes of a plugin; `host LIBRARY entries` says for which versions the entry has a table.
enum HostSource {
    static let text = """
        #include "trove_datastore.h"
        #ifdef SECOND
        #include "trove_datastore_2.h"
        #endif
        #include <dlfcn.h>
        #include <stdio.h>
        #include <string.h>
        static const void *service(const trove_host_1 *host, const char *id) { (void)host; (void)id; return NULL; }
        static trove_status emit(trove_call *call, const void *data, size_t size) {
          (void)call;
          printf("%.*s\\n", (int)size, (const char *)data);
          return TROVE_OK;
        }
        static trove_status fail(trove_call *call, trove_status code, trove_str message, trove_str details) {
          (void)call; (void)details;
          printf("failed %d: %.*s\\n", code, (int)message.len, message.ptr);
          return code;
        }
        typedef const trove_plugin_1 *(*entry_fn)(uint32_t, uint32_t);
        static int entries(entry_fn entry) {
          static const uint32_t versions[][2] = {{1, 0}, {1, 1}, {1, 65535}, {0, 0}, {2, 0}, {4294967295u, 0}};
          for (int i = 0; i < 6; i++) {
            const trove_plugin_1 *plugin = entry(versions[i][0], versions[i][1]);
            if (plugin) printf("%u.%u ", plugin->abi_major, plugin->abi_minor); else printf("none ");
          }
          printf("\\n");
          return 0;
        }
        int main(int argc, char **argv) {
          void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
          if (library == NULL) return fprintf(stderr, "%s\\n", dlerror()), 1;
          entry_fn entry = (entry_fn)dlsym(library, "trove_plugin_entry");
          if (entry == NULL) return fprintf(stderr, "%s\\n", dlerror()), 1;
          if (argc > 2) return entries(entry);
          const trove_plugin_1 *plugin = entry(TROVE_ABI_MAJOR, TROVE_ABI_MINOR);
          if (plugin == NULL) return printf("nothing for %u.%u\\n", TROVE_ABI_MAJOR, TROVE_ABI_MINOR), 0;
          if (plugin->magic != TROVE_MAGIC) return printf("no plugin\\n"), 0;
          if (plugin->abi_major != TROVE_ABI_MAJOR)
            return printf("plugin %u.%u, host %u.%u\\n", plugin->abi_major, plugin->abi_minor, TROVE_ABI_MAJOR, TROVE_ABI_MINOR), 0;
          if (plugin->size != sizeof(trove_plugin_1)) return printf("wrong size\\n"), 0;
          const trove_host_1 host = {
            .size = sizeof host, .magic = TROVE_MAGIC, .abi_major = TROVE_ABI_MAJOR, .abi_minor = TROVE_ABI_MINOR,
            .name = {"host", 4}, .version = {"0", 1}, .get_extension = service, .emit = emit, .fail = fail};
          if (plugin->init(&host) != TROVE_OK) return printf("init failed\\n"), 0;
          void *self;
          trove_str request = {"{}", 2};
          const trove_datastore_1 *one = plugin->get_extension(TROVE_EXT_DATASTORE);
        #ifdef SECOND
          const trove_datastore_2 *two = plugin->get_extension(TROVE_EXT_DATASTORE_2);
          if (two != NULL) {
            if (two->size != sizeof *two) return printf("wrong size\\n"), 0;
            if (two->first.open(NULL, request, &self) != TROVE_OK) return 1;
            return two->rest(self, NULL, request);
          }
        #endif
          if (one == NULL) return printf("no datastore for this host\\n"), 0;
          if (one->size != sizeof *one) return printf("wrong size\\n"), 0;
          if (one->open(NULL, request, &self) != TROVE_OK) return 1;
          return one->prepare(self, NULL, request);
        }

        """
}

/// The host in C, compiled.
struct SyntheticHost {
    let path: String

    /// - Parameter headers: Decide which version it has.
    init(at path: String, headers: String, macros: [String] = []) async throws {
        self.path = path
        try HostSource.text.write(toFile: path + ".c", atomically: true, encoding: .utf8)
        let compiler = Compiler(
            arguments: ["-std=gnu11", "-Wall", "-Werror", "-I", headers, "-o", path, path + ".c"]
                + macros.map { "-D" + $0 })
        try await compiler.run()
    }

    /// What it says of a plugin, without the end of line.
    func meet(_ library: String, _ arguments: [String] = [], environment: [String: String] = [:]) async throws -> String
    {
        let program = Compiler(program: path, arguments: [library] + arguments, environment: environment)
        return String(try await program.run().split(separator: "\n").last ?? "")
    }
}
