// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// One version of the example datastore plugin for memcached, with the actions `release` and `fall` added, as a package
/// that an operator installs.
struct MemcachedPackage {
    static let id = "org.example.memcached"

    var version: String
    /// `BAD_PREPARE`, `BLIND`.
    var macros: [String] = []

    /// A body of a create, on the smallest flavor.
    static func body(_ name: String) -> JSONValue {
        [
            "instance": [
                "name": .string(name), "flavorRef": "1", "volume": ["size": 1],
                "datastore": ["type": "memcached", "version": "1.6"],
            ]
        ]
    }

    /// The datastore's file, before any version of the plugin is there.
    static func enable(in plane: ControlPlane) throws {
        try plane.configure(
            "datastores/memcached.yaml",
            String(contentsOfFile: Build.root + "/Plugins/Examples/Memcached/memcached.yaml", encoding: .utf8))
    }

    /// Compiles it against the SDK alone into a directory of its own outside the plugin directories.
    func write(in plane: ControlPlane) throws -> String {
        let folder = "\(plane.home)/packages/memcached-\(version)"
        let source = "\(folder)-source"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Build.root + "/Plugins/Examples/Memcached", toPath: source)
        try edit(
            source + "/memcached.c", ("\"1.0.0\"", "\"\(version)\""),
            (
                "  return NULL;\n}",
                "  if (strcmp(id, TROVE_EXT_ACTIONS) == 0) return &memcached_actions;\n  return NULL;\n}"
            ),
            ("#include \"tables.h\"", "#include \"tables.h\"\n#include \"actions.c\""))
        try edit(
            source + "/datastore.c",
            (
                "  settings_values values;\n  trove_status status = kit_expect(call, request, \"config_contents s",
                "  settings_values values;\n"
                    + "  if (BAD_PREPARE) return kit_fail(call, TROVE_INTERNAL, \"this release cannot prepare\");\n"
                    + "  trove_status status = kit_expect(call, request, \"config_contents s"
            ),
            (
                "  int64_t port;\n",
                "  int64_t port;\n  if (BLIND) return kit_fail(call, TROVE_INTERNAL, \"this release is blind\");\n"
            ))
        try Self.actions.replacingOccurrences(of: "VERSION", with: version)
            .write(toFile: source + "/actions.c", atomically: false, encoding: .utf8)
        let sdk = Build.folder + "/sdk"
        let files = ["memcached", "datastore", "policy", "settings", "protocol"].map { "\(source)/\($0).c" }
        let flags = ["BAD_PREPARE", "BLIND"].map { "-D\($0)=\(macros.contains($0) ? 1 : 0)" }
        try CPlugin.run(
            ["/usr/bin/cc", "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", "-I\(sdk)/include", "-I\(sdk)/c"]
                + flags + ["-o", folder + "/memcached.so"] + files)
        try manifest(folder)
        return folder
    }

    private func edit(_ path: String, _ changes: (String, String)...) throws {
        var text = try String(contentsOfFile: path, encoding: .utf8)
        for (old, new) in changes {
            guard text.contains(old) else { throw TestFailure("\(path) has no '\(old)'") }
            text = text.replacingOccurrences(of: old, with: new)
        }
        try text.write(toFile: path, atomically: false, encoding: .utf8)
    }

    private func manifest(_ folder: String) throws {
        let path = Build.root + "/Plugins/Examples/Memcached/plugin.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        guard case .object(var members) = try JSONValue(parsing: text) else { throw TestFailure("\(path): no object") }
        let digest = try CPlugin.run(["/usr/bin/sha256sum", folder + "/memcached.so"]).prefix(64)
        let machine = try CPlugin.run(["/usr/bin/uname", "-m"]).trimmingCharacters(in: .whitespacesAndNewlines)
        members["version"] = .string(version)
        members["library"] = [
            "file": "memcached.so", "sha256": .string(String(digest)), "abi": "1.0",
            "platform": .string("linux-\(machine)-gnu"),
        ]
        members["provides"] = ["trove.datastore/1", "trove.datastore-policy/1", "trove.actions/1"]
        members["actions"] = [
            [
                "name": "release", "summary": "Says which release the agent maps", "policy": "memcached:release",
                "role": "guest", "read_only": true, "args": [], "samples": [[:]],
            ],
            [
                "name": "fall", "summary": "Traps", "policy": "memcached:fall", "role": "guest", "args": [],
                "samples": [[:]],
            ],
        ]
        try Data(JSONValue.object(members).serialized).write(to: URL(fileURLWithPath: folder + "/plugin.json"))
    }

    private static let actions = #"""
        #include "trove_actions.h"
        #include "trove_plugin_kit.h"
        static trove_status release_action(trove_call *call) {
          return kit_host->emit(call, "{\"release\":\"VERSION\"}", strlen("{\"release\":\"VERSION\"}"));
        }
        static trove_status fall(trove_call *call) {
          (void)call;
          __builtin_trap();
        }
        static const trove_action_1 items[] = {
            {.size = sizeof(trove_action_1), .flags = TROVE_ACTION_READ_ONLY, .name = "release",
             .summary = "Says which release the agent maps",
             .fn = TROVE_TYPED_FN(release_action, trove_status(*)(trove_call *))},
            {.size = sizeof(trove_action_1), .name = "fall", .summary = "Traps",
             .fn = TROVE_TYPED_FN(fall, trove_status(*)(trove_call *))},
        };
        static const trove_actions_1 memcached_actions = {sizeof(trove_actions_1), 2, items};
        """#
}
