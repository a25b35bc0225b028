// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model

/// The directories of an instance that never was, for calls without an engine.
struct Sandbox {
    let root: String
    let config: JSONValue
    private static let names = ["data", "run", "state", "log"]

    /// Makes the directories; they may be there from an earlier child.
    init(_ order: ChildOrder) throws(ConformanceError) {
        root = order.sandbox
        for name in Self.names {
            guard mkdir(root + "/" + name, 0o700) == 0 || errno == EEXIST else {
                throw ConformanceError("\(root)/\(name) cannot be made: \(String(cString: strerror(errno)))")
            }
        }
        config = [
            "instance_id": "00000000-0000-4000-8000-000000000001",
            "datastore": ["name": .string(order.datastore.name), "version": .string(order.datastore.version)],
            "address": "127.0.86.1", "port": 47311,
            "data_dir": .string(root + "/data"), "run_dir": .string(root + "/run"),
            "state_dir": .string(root + "/state"),
            "log_dir": .string(root + "/log"), "memory_mb": 512, "uid": .int(Int64(geteuid())),
            "gid": .int(Int64(getegid())),
        ]
    }

    /// What lies beside the directories and does not belong there.
    var strays: [String] { FileTree.names(root).filter { !Self.names.contains($0) } }
}
