// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Where the files of an instance are, and the part of its configuration that only the guest knows.
struct ServerConfiguration {
    let instance: InstanceDocument

    /// The plugin's memory of the instance.
    var statePath: String { instance.stateDirectory + "/redis.json" }
    /// The configuration; written before each start, since the run directory does not outlive the machine.
    var configPath: String { instance.runDirectory + "/redis.conf" }
    /// The Unix socket.
    var socketPath: String { instance.runDirectory + "/redis.sock" }
    /// Users; the engine writes it too.
    var accessListPath: String { instance.dataDirectory + "/users.acl" }
    /// The last snapshot, and what a restored backup comes as.
    var snapshotPath: String { instance.dataDirectory + "/dump.rdb" }
    /// The log of changes: base files, increments and the manifest that names them.
    var appendDirectory: String { instance.dataDirectory + "/appendonlydir" }
    /// Names the parts of the log of changes; without it there is none.
    var manifestPath: String { appendDirectory + "/appendonly.aof.manifest" }
    /// The first base file.
    var basePath: String { appendDirectory + "/appendonly.aof.1.base.rdb" }
    /// The engine's uid and gid.
    var owner: (uid: UInt32, gid: UInt32) { (instance.uid, instance.gid) }

    /// The whole configuration file: the last of two equal settings counts, so paths and identity come last.
    func file(contents: String, isAppendForced: Bool) -> String {
        var values: [(name: String, words: [String])] = [
            ("bind", [instance.address]),
            ("port", [String(instance.port)]),
            // Who may come in is the access list's business: the default user has no password that is empty.
            ("protected-mode", ["no"]),
            ("unixsocket", [socketPath]),
            ("unixsocketperm", ["700"]),
            ("dir", [instance.dataDirectory]),
            ("dbfilename", ["dump.rdb"]),
            ("appendfilename", ["appendonly.aof"]),
            ("appenddirname", ["appendonlydir"]),
            ("aclfile", [accessListPath]),
            ("pidfile", [instance.runDirectory + "/redis.pid"]),
            ("logfile", [""]),
            ("daemonize", ["no"]),
            ("supervised", ["systemd"]),
        ]
        if isAppendForced { values.append(("appendonly", ["yes"])) }
        return contents + "\n" + Settings.text(values)
    }
}
