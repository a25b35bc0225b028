// SPDX-License-Identifier: Apache-2.0

import Foundation
import GuestAgent
import Logging
import Model
import TestSupport

/// Directories and configuration of one instance.
struct InstanceFixture: Sendable {
    let root: String
    var configuration: GuestConfiguration
    let document: JSONValue

    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(root: String, change: ([String: JSONValue]) -> [String: JSONValue] = { $0 }) throws {
        self.root = root
        chmod(root, 0o711)
        for name in ["data", "run", "log", "state", "objects"] {
            try FileManager.default.createDirectory(atPath: root + "/" + name, withIntermediateDirectories: true)
        }
        chmod(root + "/run", 0o777)
        chmod(root + "/state", 0o700)
        let document = change(Self.document(root))
        self.document = .object(document)
        configuration = try GuestConfiguration(json: self.document)
    }

    static func document(_ root: String) -> [String: JSONValue] {
        let host = "127.\(Int.random(in: 64...200)).\(Int.random(in: 1...254)).\(Int.random(in: 1...254))"
        return [
            "instance_id": "0b9b8b1e-0000-4000-8000-000000000001",
            "datastore": ["name": "files", "version": "1"],
            "plugins": [
                "datastore": "org.example.files", "backup": "org.example.files@1.0.0",
                "directories": [.string(Built.plugins)],
                "settings": ["org.example.files": ["engine": .string(Built.engine)]], "disabled": [],
            ],
            "address": .string(host), "port": .int(Int64.random(in: 20_000...29_999)), "ports": [],
            "uid": .int(Int64(getuid())), "gid": .int(Int64(getgid())), "set_ids": false, "memory_mb": 64, "vcpus": 1,
            "cgroup_procs": [], "cgroup_kill": [], "oom": [],
            "data_dir": .string(root + "/data"), "run_dir": .string(root + "/run"), "log_dir": .string(root + "/log"),
            "state_dir": .string(root + "/state"), "bus": ["socket": .string(root + "/bus.sock")],
            "object_store": ["directory": .string(root + "/objects")], "report_interval_s": 1, "mode": "serve",
        ]
    }

    /// Makes the plugin behave differently.
    func behave(_ name: String, _ content: String = "") throws {
        try content.write(toFile: root + "/run/" + name, atomically: true, encoding: .utf8)
    }

    func behaveNormally(_ name: String) { unlink(root + "/run/" + name) }

    func content(_ path: String) -> String? { try? String(contentsOfFile: root + "/" + path, encoding: .utf8) }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: root + "/" + path) }

    /// How often the engine was started.
    var starts: Int { content("run/starts")?.split(separator: "\n").count ?? 0 }

    /// Ends whatever process of the engine is left.
    func endEngine() {
        guard let text = content("state/engine.json"), let json = try? JSONValue(parsing: text),
            let pid = json["pid"]?.intValue, pid > 1
        else { return }
        kill(pid_t(pid), SIGKILL)
        var status: Int32 = 0
        waitpid(pid_t(pid), &status, 0)
    }
}

/// Waits until something is true; polls because what is looked at is outside this process.
func eventually(
    within limit: Duration = .seconds(10), _ condition: () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}
