// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Plugins that trap, written in C against the header alone.
    @Suite("A plugin that traps", .serialized)
    struct PluginFaultTests {
        @Test("in validate_create costs that request an error that names it, and nothing else", .timeLimit(.minutes(5)))
        func trapsInPolicy() async throws {
            try await ControlPlane.with(configure: { try Self.install(traps: "validate", in: $0) }) { plane in
                let client = try await RESTClient.login(plane)
                async let neighbour = client.create(name: "neighbour")
                let answer = try await client.call("POST", "/instances", Self.body)
                #expect(answer.status >= 400)
                #expect(String(decoding: answer.bytes, as: UTF8.self).contains("org.example.trap"))
                let id = try await neighbour
                try await client.wait(id, for: "ACTIVE")
                let list = try await client.must("GET", "/instances")
                #expect(list["instances"]?.arrayValue?.count == 1)
                try await client.delete(id)
            }
        }

        @Test("in prepare takes down its own agent, and the instance goes to ERROR naming it", .timeLimit(.minutes(5)))
        func trapsInGuest() async throws {
            try await ControlPlane.with(configure: { try Self.install(traps: "prepare", in: $0) }) { plane in
                let client = try await RESTClient.login(plane)
                let good = try await client.create(name: "good")
                let answer = try await client.must("POST", "/instances", Self.body)
                let bad = try #require(answer["instance"]?["id"]?.stringValue)
                let shown = try await client.wait(bad, for: "ERROR")
                #expect(shown["fault"]?["message"]?.stringValue?.contains("org.example.trap") == true, "\(shown.text)")
                try await client.wait(good, for: "ACTIVE")
                try await client.delete(bad)
                try await client.delete(good)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        private static let body: JSONValue = [
            "instance": [
                "name": "trap", "flavorRef": "1", "volume": ["size": 1],
                "datastore": ["type": "trap", "version": "1"],
            ]
        ]

        /// Compiles the plugin and enables its datastore beside the shipped one.
        private static func install(traps place: String, in plane: ControlPlane) throws {
            let folder = plane.home + "/plugins/trap"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let source = folder + "/trap.c"
            try code.write(toFile: source, atomically: false, encoding: .utf8)
            let compiler = Process()
            compiler.executableURL = URL(fileURLWithPath: "/usr/bin/cc")
            compiler.arguments = [
                "-shared", "-fPIC", "-fvisibility=hidden", "-DTRAP_IN_\(place.uppercased())", "-I",
                Build.root + "/Sources/CTrovePlugin/include", "-o", folder + "/trap.so", source,
            ]
            try compiler.run()
            compiler.waitUntilExit()
            guard compiler.terminationStatus == 0 else { throw TestFailure("the plugin does not compile") }
            let digest = Process()
            let pipe = Pipe()
            digest.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
            digest.arguments = [folder + "/trap.so"]
            digest.standardOutput = pipe
            try digest.run()
            let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let sha = String(output.prefix(64))
            try manifest(sha).write(toFile: folder + "/plugin.json", atomically: false, encoding: .utf8)
            let datastores = plane.home + "/config/datastores"
            try FileManager.default.createDirectory(atPath: datastores, withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: Build.root + "/Config/datastores/mariadb.yaml", toPath: datastores + "/mariadb.yaml"
            )
            let file =
                "datastore: trap\ndefault_version: \"1\"\nversions:\n  - name: \"1\"\n    plugin: org.example.trap\n"
            try file.write(toFile: datastores + "/trap.yaml", atomically: false, encoding: .utf8)
        }

        private static func manifest(_ sha: String) -> String {
            """
            {"manifest": 1, "id": "org.example.trap", "version": "1.0.0", "summary": "Traps where it is told to",
             "library": {"file": "trap.so", "sha256": "\(sha)", "abi": "1.0", "platform": "linux-x86_64-gnu"},
             "roles": ["guest", "control"], "provides": ["trove.datastore/1", "trove.datastore-policy/1"], "requires": [],
             "licence": "0BSD"}
            """
        }

        private static let code = """
            #include "trove_datastore.h"
            #include "trove_datastore_policy.h"
            #include <string.h>
            static const trove_host_1 *host;
            static trove_status say(trove_call *call, const char *text) { return host->emit(call, text, strlen(text)); }
            static trove_status requirements(trove_call *call, trove_str request) {
              (void)request;
              return say(call, "{\\"ports\\":[\(CPlugin.port)],\\"volume\\":{\\"required\\":true,\\"minimum_gib\\":1},"
                               "\\"memory_mb_minimum\\":64,\\"has_template\\":false,\\"programs\\":[]}");
            }
            static trove_status validate(trove_call *call, trove_str request) {
              (void)call; (void)request;
            #ifdef TRAP_IN_VALIDATE
              __builtin_trap();
            #endif
              return TROVE_OK;
            }
            static trove_status render(trove_call *call, trove_str request) {
              (void)request;
              return say(call, "{\\"config_contents\\":\\"\\"}");
            }
            static const trove_datastore_policy_1 policy = {sizeof policy, 0, requirements, validate, render};
            static trove_status open_it(trove_call *call, trove_str config, void **self) {
              (void)call; (void)config;
              *self = &host;
              return TROVE_OK;
            }
            static void close_it(void *self) { (void)self; }
            static trove_status prepare(void *self, trove_call *call, trove_str request) {
              (void)self; (void)call; (void)request;
              __builtin_trap();
              return TROVE_OK;
            }
            static trove_status nothing(void *self, trove_call *call, trove_str request) {
              (void)self; (void)request;
              return host->fail(call, TROVE_UNSUPPORTED, (trove_str){"not here", 8}, (trove_str){0, 0});
            }
            static trove_status status(void *self, trove_call *call, trove_service_status_1 *out) {
              (void)self; (void)call;
              out->status = TROVE_SERVICE_SHUTDOWN;
              return TROVE_OK;
            }
            static const trove_datastore_1 datastore = {
                .size = sizeof datastore, .open = open_it, .close = close_it, .prepare = prepare, .launch = nothing,
                .started = nothing, .status = status};
            static trove_status init(const trove_host_1 *h) { host = h; return TROVE_OK; }
            static void deinit(void) {}
            static const void *get_extension(const char *id) {
              if (strcmp(id, TROVE_EXT_DATASTORE) == 0) return &datastore;
              if (strcmp(id, TROVE_EXT_DATASTORE_POLICY) == 0) return &policy;
              return NULL;
            }
            static const trove_plugin_1 plugin = {
                sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, "org.example.trap", "1.0.0", init, deinit,
                get_extension};
            const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
              (void)minor;
              return major == TROVE_ABI_MAJOR ? &plugin : NULL;
            }
            """
    }
}
