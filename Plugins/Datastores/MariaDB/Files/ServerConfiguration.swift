// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Where the files of an instance are, and the part of its option file that only the guest knows.
struct ServerConfiguration {
    let instance: InstanceDocument

    /// The plugin's memory of the instance.
    var statePath: String { instance.stateDirectory + "/mariadb.json" }
    /// Says that `initialize` came to its end.
    var initializedPath: String { instance.stateDirectory + "/mariadb-initialized" }
    /// The option file; written before each start, since the run directory does not outlive the machine.
    var optionPath: String { instance.runDirectory + "/my.cnf" }
    /// Statements of the first start.
    var firstStartPath: String { instance.runDirectory + "/first-start.sql" }
    /// Statements of `initialize`.
    var templatePath: String { instance.runDirectory + "/template.sql" }
    /// Where every statement goes, if that is asked for.
    var generalLogPath: String { instance.dataDirectory + "/general.log" }
    /// Where slow statements go, if that is asked for.
    var slowLogPath: String { instance.dataDirectory + "/slow_query.log" }
    /// The Unix socket.
    var socketPath: String { instance.runDirectory + "/mariadb.sock" }
    /// On the data volume, not in the run directory: that one is memory.
    var temporaryPath: String { instance.dataDirectory + "/" + Self.temporaryName }
    private static let temporaryName = ".tmp"
    /// The engine's uid and gid.
    var owner: (uid: UInt32, gid: UInt32) { (instance.uid, instance.gid) }

    /// The whole option file: the last of two equal settings counts, so paths and identity come last.
    func optionFile(contents: String, logs: [String: Bool], tls: TLSState) -> String {
        var values: [(name: String, value: String)] = [
            ("datadir", instance.dataDirectory),
            ("tmpdir", temporaryPath),
            // Directories that are no databases; one line each.
            ("ignore_db_dirs", "lost+found"),
            ("ignore_db_dirs", Self.temporaryName),
            // The agent's.
            ("ignore_db_dirs", ".modules"),
            ("secure_file_priv", temporaryPath),
            ("socket", socketPath),
            ("pid_file", instance.runDirectory + "/mariadb.pid"),
            ("bind_address", instance.address),
            ("port", String(instance.port)),
            ("general_log_file", generalLogPath),
            ("slow_query_log_file", slowLogPath),
            ("server_id", String(Self.serverID(instance.instanceID))),
        ]
        values += tls.options
        values += logs.sorted { $0.key < $1.key }.map { ($0.key, $0.value ? "ON" : "OFF") }
        // Without it the server refuses to run as root, which an agent without a uid of its own for the engine may be.
        if instance.uid == 0 { values.append(("user", "root")) }
        return contents + "\n" + Settings.group(values)
    }

    /// 1 to 2^32 - 1, the same for the same instance (FNV-1a).
    static func serverID(_ instanceID: String) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        for byte in instanceID.utf8 { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        return max(hash, 1)
    }
}
