// SPDX-License-Identifier: Apache-2.0

/// A datastore plugin that says through which revision it was called and which host it saw.
///
/// Macros: `ONE`, `TWO`: the revisions that it offers; `STUBBORN`: its table whatever the host is; `ENTRY`: the name of
/// its entry; `TOO_EARLY`: answers with a status of ABI 1.1; `MARK`: a file that is made when the library is mapped.
enum VersionSource {
    static let text = """
        #include "trove_datastore.h"
        #ifdef TWO
        #include "trove_datastore_2.h"
        #endif
        #include <fcntl.h>
        #include <stdio.h>
        #include <string.h>
        #include <unistd.h>
        static const trove_host_1 *host;
        static uint32_t seen_major, seen_minor;
        static trove_status answer(trove_call *call, int revision) {
          char out[64];
          int size = snprintf(out, sizeof out, "{\\"through\\":%d,\\"host\\":\\"%u.%u\\"}", revision, seen_major, seen_minor);
          return host->emit(call, out, (size_t)size);
        }
        static trove_status ds_open(trove_call *call, trove_str config, void **self) {
          (void)call; (void)config;
          *self = (void *)&host;
          return TROVE_OK;
        }
        static void ds_close(void *self) { (void)self; }
        static trove_status ds_verb(void *self, trove_call *call, trove_str request) {
          (void)self;
          if (memmem(request.ptr, request.len, "4711", 4) != NULL) return 4711;
        #ifdef TOO_EARLY
          if (memmem(request.ptr, request.len, "early", 5) != NULL) return TROVE_TOO_EARLY;
        #endif
          return answer(call, 1);
        }
        static trove_status ds_status(void *self, trove_call *call, trove_service_status_1 *out) {
          (void)self; (void)call;
          out->status = 99;
          return TROVE_OK;
        }
        #define FIRST {.size = sizeof(trove_datastore_1), .open = ds_open, .close = ds_close, .prepare = ds_verb, \\
          .launch = ds_verb, .started = ds_verb, .status = ds_status}
        static const trove_datastore_1 one = FIRST;
        #ifdef TWO
        static trove_status ds_rest(void *self, trove_call *call, trove_str request) {
          (void)self; (void)request;
          return answer(call, 2);
        }
        static const trove_datastore_2 two = {sizeof(trove_datastore_2), 0, FIRST, ds_rest};
        #endif
        static trove_status init(const trove_host_1 *given) {
          host = given;
        #ifdef INIT
          return INIT;
        #endif
          return given->size == sizeof *given && given->magic == TROVE_MAGIC && given->abi_major == seen_major &&
            given->abi_minor == seen_minor ? TROVE_OK : TROVE_PRECONDITION_FAILED;
        }
        static void deinit(void) {}
        static const void *extension(const char *id) {
        #ifdef ONE
          if (strcmp(id, TROVE_EXT_DATASTORE) == 0) return &one;
        #endif
        #ifdef TWO
          if (strcmp(id, TROVE_EXT_DATASTORE_2) == 0) return &two;
        #endif
          return NULL;
        }
        static const trove_plugin_1 plugin = {
          .size = sizeof(trove_plugin_1), .magic = TROVE_MAGIC, .abi_major = TROVE_ABI_MAJOR, .abi_minor = TROVE_ABI_MINOR,
          .id = ID, .version = "1.0.0", .init = init, .deinit = deinit, .get_extension = extension};
        #ifdef MARK
        __attribute__((constructor)) static void mark(void) { close(open(MARK, O_CREAT | O_WRONLY, 0600)); }
        #endif
        #ifdef ENTRY
        const trove_plugin_1 *ENTRY(uint32_t major, uint32_t minor);
        #else
        #define ENTRY trove_plugin_entry
        #endif
        const trove_plugin_1 *ENTRY(uint32_t major, uint32_t minor) {
          seen_major = major;
          seen_minor = minor;
        #ifdef STUBBORN
          return &plugin;
        #endif
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }

        """

    /// One library for two major versions, made of two objects.
    static let both = """
        #include "trove_plugin.h"
        const trove_plugin_1 *entry_of_1(uint32_t major, uint32_t minor);
        const trove_plugin_1 *entry_of_2(uint32_t major, uint32_t minor);
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          return major == 1 ? entry_of_1(major, minor) : entry_of_2(major, minor);
        }

        """

    /// The plugins of the matrix: name, units, what the manifest says.
    static func plugins(minor: String, major: String) -> [(
        name: String, units: [Unit], abi: String, provides: [String]
    )] {
        let (one, two) = ("trove.datastore/1", "trove.datastore/2")
        return [
            ("one", [Unit(text: text, macros: ["ONE"])], "1.0", [one]),
            ("later", [Unit(text: text, headers: minor, macros: ["ONE", "TWO", "TOO_EARLY"])], "1.1", [one, two]),
            ("second", [Unit(text: text, headers: minor, macros: ["TWO"])], "1.1", [two]),
            ("next", [Unit(text: text, headers: major, macros: ["ONE"])], "2.0", [one]),
            ("stubborn", [Unit(text: text, headers: major, macros: ["ONE", "STUBBORN"])], "1.0", [one]),
            ("stays", [Unit(text: text, macros: ["ONE", "STUBBORN"])], "1.0", [one]),
            (
                "both",
                [
                    Unit(text: text, macros: ["ONE", "ENTRY=entry_of_1"]),
                    Unit(text: text, headers: major, macros: ["ONE", "ENTRY=entry_of_2"]), Unit(text: both),
                ], "1.0", [one]
            ),
        ]
    }
}
