// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// A plugin file that cannot be used costs its own datastore, and nothing else.
    @Suite("Bad plugin files", .serialized)
    struct BadPluginFileTests {
        @Test("are refused with file and reason; everything else works", .timeLimit(.minutes(3)))
        func files() async throws {
            try await ControlPlane.with(configure: { try Self.install($0) }) { plane in
                let client = try await RESTClient.login(plane)
                let log = plane.logTail(1000)
                for (plugin, reason) in Self.bad {
                    let line = log.split(separator: "\n").first {
                        $0.contains(plugin.folder(plane)) && $0.contains(reason)
                    }
                    #expect(line != nil, "\(plugin.id): '\(reason)' in\n\(log)")
                    let body: JSONValue = [
                        "instance": [
                            "name": "x", "flavorRef": "1", "volume": ["size": 1],
                            "datastore": ["type": .string(plugin.name)],
                        ]
                    ]
                    let answer = try await client.call("POST", "/instances", body)
                    #expect(answer.status == 503, "\(plugin.name)")
                    let message = answer.body?["serviceUnavailable"]?["message"]?.stringValue ?? ""
                    #expect(message.contains(plugin.id), "\(message)")
                }
                #expect(try await client.must("GET", "/instances")["instances"] == [])
                let id = try await client.create(name: "shipped")
                try await client.wait(id, for: "ACTIVE")
                try await client.delete(id)
                let audit = try await plane.trove(["audit"])
                #expect(audit.status == 0, "\(audit.output)")
            }
        }

        /// Plugins and a part of the reason that the log has.
        private static var bad: [(CPlugin, String)] {
            var plugins = [
                (CPlugin(name: "textfile"), "cannot be mapped"), (CPlugin(name: "cut"), "the trial load"),
                (CPlugin(name: "shared"), "can be written by group or others"), (CPlugin(name: "sealed"), "SHA-256"),
                (CPlugin(name: "abi", macros: ["MAJOR=9"]), "9"),
                (CPlugin(name: "aborts", macros: ["ABORTS"]), "signal"),
                (CPlugin(name: "manifest"), "plugin.json"), (CPlugin(name: "absent"), "absent.so"),
            ]
            if Build.isRoot { plugins.append((CPlugin(name: "foreign"), "is owned by uid 65534")) }
            return plugins
        }

        private static func install(_ plane: ControlPlane) throws {
            for (plugin, _) in bad {
                try plugin.install(in: plane)
                let library = plugin.library(plane)
                switch plugin.name {
                case "textfile":
                    try "no library\n".write(toFile: library, atomically: false, encoding: .utf8)
                    try plugin.seal(in: plane)
                case "cut":
                    let whole = try Data(contentsOf: URL(fileURLWithPath: library))
                    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: library))
                    try plugin.seal(in: plane)
                case "shared": chmod(library, 0o775)
                case "sealed":
                    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: library))
                    handle.seekToEndOfFile()
                    handle.write(Data([0]))
                    try handle.close()
                case "manifest":
                    try "{\"manifest\": 1,".write(
                        toFile: plugin.folder(plane) + "/plugin.json", atomically: false, encoding: .utf8)
                case "absent": try FileManager.default.removeItem(atPath: library)
                case "foreign": chown(library, 65534, 65534)
                default: break
                }
            }
        }
    }
}
