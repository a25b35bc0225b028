// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A datastore plugin in C, written against the header alone, that misbehaves as a macro says.
struct CPlugin {
    /// The engine's port: the shape's own, for a test takes it on every address of the host.
    static let port: UInt16 = Shape.current == .embedded ? 7999 : 7998

    let name: String
    var macros: [String] = []
    var id: String { "org.example.\(name)" }

    func folder(_ plane: ControlPlane) -> String { plane.home + "/plugins/\(name)" }
    func library(_ plane: ControlPlane) -> String { "\(folder(plane))/\(name).so" }

    /// Compiles the plugin, writes its manifest, and enables its datastore (of the plugin's name, version 1).
    func install(in plane: ControlPlane) throws {
        try FileManager.default.createDirectory(atPath: folder(plane), withIntermediateDirectories: true)
        let source = folder(plane) + "/\(name).c"
        try Self.code.write(toFile: source, atomically: false, encoding: .utf8)
        try Self.run(
            ["/usr/bin/cc", "-shared", "-fPIC", "-fvisibility=hidden", "-DPLUGIN_ID=\"\(id)\""]
                + macros.map { "-D\($0)" }
                + ["-I", Build.root + "/Sources/CTrovePlugin/include", "-o", library(plane), source])
        try seal(in: plane)
        try enable(in: plane)
    }

    /// Writes the manifest for what the library file holds now.
    func seal(in plane: ControlPlane) throws {
        let digest = try Self.run(["/usr/bin/sha256sum", library(plane)]).prefix(64)
        let machine = try Self.run(["/usr/bin/uname", "-m"]).trimmingCharacters(in: .whitespacesAndNewlines)
        try """
        {"manifest": 1, "id": "\(id)", "version": "1.0.0", "summary": "Misbehaves",
         "library": {"file": "\(name).so", "sha256": "\(digest)", "abi": "1.0", "platform": "linux-\(machine)-gnu"},
         "roles": ["guest", "control"], "provides": ["trove.datastore/1", "trove.datastore-policy/1"], "requires": [],
         "licence": "0BSD"}
        """.write(toFile: folder(plane) + "/plugin.json", atomically: false, encoding: .utf8)
    }

    private func enable(in plane: ControlPlane) throws {
        try plane.configure(
            "datastores/\(name).yaml",
            "datastore: \(name)\ndefault_version: \"1\"\nversions:\n  - name: \"1\"\n    plugin: \(id)\n")
        try plane.copySample("datastores/mariadb.yaml")
    }

    @discardableResult
    static func run(_ arguments: [String]) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: arguments[0])
        process.arguments = Array(arguments.dropFirst())
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw TestFailure("\(arguments) failed") }
        return output
    }

    /// The plugin's C text, version 1.0.0.
    static let code = #"""
        #include "trove_datastore.h"
        #include "trove_datastore_policy.h"
        #include "trove_services.h"
        #include <stdlib.h>
        #include <string.h>
        #ifndef MAJOR
        #define MAJOR TROVE_ABI_MAJOR
        #endif
        static const trove_host_1 *host;
        static const trove_config_1 *config;
        #ifdef ABORTS
        __attribute__((constructor)) static void abort_now(void) { abort(); }
        #endif
        static trove_status say(trove_call *call, const char *text) { return host->emit(call, text, strlen(text)); }
        static trove_status requirements(trove_call *call, trove_str request) {
          (void)request;
          return say(call, "{\"ports\":[\#(port)],\"volume\":{\"required\":true,\"minimum_gib\":1},"
                           "\"memory_mb_minimum\":64,\"has_template\":false,\"programs\":[]}");
        }
        static trove_status validate(trove_call *call, trove_str request) {
          (void)call; (void)request;
        #ifdef TRAPS
          __builtin_trap();
        #endif
        #ifdef TELLS_SETTINGS
          return host->fail(call, TROVE_INVALID_ARGUMENT, config->get(host), (trove_str){0, 0});
        #endif
          return TROVE_OK;
        }
        static trove_status render(trove_call *call, trove_str request) {
          (void)request;
          return say(call, "{\"config_contents\":\"\"}");
        }
        static const trove_datastore_policy_1 policy = {sizeof policy, 0, requirements, validate, render};
        static trove_status open_it(trove_call *call, trove_str config, void **self) {
          (void)call; (void)config;
          *self = &host;
          return TROVE_OK;
        }
        static void close_it(void *self) { (void)self; }
        static trove_status nothing(void *self, trove_call *call, trove_str request) {
          (void)self; (void)call; (void)request;
          return TROVE_OK;
        }
        static trove_status launch(void *self, trove_call *call, trove_str request) {
          (void)self; (void)request;
          return say(call, "{\"argv\":[\"/bin/false\"],\"env\":{},\"ready\":\"tcp\",\"port\":\#(port),\"stop_signal\":\"TERM\","
                           "\"stop_timeout_s\":5,\"start_timeout_s\":10}");
        }
        static trove_status status(void *self, trove_call *call, trove_service_status_1 *out) {
          (void)self; (void)call;
          out->status = TROVE_SERVICE_SHUTDOWN;
          return TROVE_OK;
        }
        static const trove_datastore_1 datastore = {
            .size = sizeof datastore, .open = open_it, .close = close_it, .initialize = nothing, .prepare = nothing,
            .launch = launch, .started = nothing, .status = status};
        static trove_status init(const trove_host_1 *h) {
          host = h;
          config = host->get_extension(host, TROVE_EXT_CONFIG);
          return config ? TROVE_OK : TROVE_PRECONDITION_FAILED;
        }
        static void deinit(void) {}
        static const void *get_extension(const char *id) {
          if (strcmp(id, TROVE_EXT_DATASTORE) == 0) return &datastore;
          if (strcmp(id, TROVE_EXT_DATASTORE_POLICY) == 0) return &policy;
          return NULL;
        }
        static const trove_plugin_1 plugin = {
            sizeof plugin, TROVE_MAGIC, MAJOR, TROVE_ABI_MINOR, 0, PLUGIN_ID, "1.0.0", init, deinit, get_extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor; (void)major;
          return &plugin;
        }
        """#
}

extension ControlPlane {
    /// Writes a file of the home's configuration.
    func configure(_ name: String, _ text: String) throws {
        let path = home + "/config/" + name
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    /// Copies a file of the sample configuration into the home's, unless it is there.
    func copySample(_ name: String) throws {
        let text = try String(contentsOfFile: Build.root + "/Config/" + name, encoding: .utf8)
        guard !FileManager.default.fileExists(atPath: home + "/config/" + name) else { return }
        try configure(name, text)
    }
}
