// SPDX-License-Identifier: Apache-2.0

import Glibc
import RedisClient
import TrovePluginKit

/// Keeps the data when the way it is kept changes.
///
/// With `appendonly yes` the engine reads the log of changes alone and starts empty without one; with `appendonly no` it
/// reads the snapshot alone. So a snapshot becomes the log's first base before a start, and a log is replayed and left after one.
struct Persistence {
    let files: ServerConfiguration

    /// How the engine is to start.
    enum Start {
        /// As configured.
        case plain
        /// From the log of changes, although the configuration has it off; `leaveLog` follows.
        case fromLog
    }

    /// Looks at what is in the data directory, and makes the snapshot the log's base where the log is on and not there.
    func prepareStart(isAppendOnly: Bool, call: Call) throws -> Start {
        let hasLog = access(files.manifestPath, F_OK) == 0
        if !isAppendOnly { return hasLog ? .fromLog : .plain }
        if !hasLog, access(files.snapshotPath, F_OK) == 0 { try makeBase(call) }
        return .plain
    }

    /// Turns the log off on the running engine once a snapshot holds all of it. A repeat does nothing.
    func leaveLog(_ connection: Connection, call: Call) throws {
        try connection.run(["CONFIG", "SET", "appendonly", "no"], "turn the log of changes off")
        try snapshot(connection, call: call)
        // The manifest first: without it the rest is no log.
        try run([Programs.remove, "-f", "--", files.manifestPath], call)
        try run([Programs.remove, "-rf", "--", files.appendDirectory], call)
    }

    /// Turns the log on on the running engine, and waits until it begins with all the data. A repeat does nothing.
    func enterLog(_ connection: Connection, call: Call) throws {
        try connection.run(["CONFIG", "SET", "appendonly", "yes"], "turn the log of changes on")
        while true {
            let now = try status(connection)
            if now["aof_rewrite_in_progress"] == "0", now["aof_rewrite_scheduled"] == "0" { break }
            try call.check()
            usleep(20_000)
        }
        guard access(files.manifestPath, F_OK) == 0 else {
            throw PluginFailure(.exhausted, "the log of changes could not be written; see the engine's log")
        }
    }

    private func snapshot(_ connection: Connection, call: Call) throws {
        let start = try status(connection)["rdb_saves"] ?? "0"
        var isAsked = false
        while true {
            let now = try status(connection)
            if now["rdb_bgsave_in_progress"] == "0", now["aof_rewrite_in_progress"] != "1" {
                if isAsked {
                    guard now["rdb_last_bgsave_status"] == "ok", now["rdb_saves"] != start else {
                        throw PluginFailure(.exhausted, "the snapshot could not be written; see the engine's log")
                    }
                    return
                }
                try connection.run(["BGSAVE"], "write a snapshot")
                isAsked = true
            }
            try call.check()
            usleep(20_000)
        }
    }

    private func status(_ connection: Connection) throws -> [String: String] {
        EngineInfo(try connection.run(["INFO", "persistence"], "read the status")).values
    }

    /// As the engine, who owns the directory: nothing is written where a link of its may point to.
    private func makeBase(_ call: Call) throws {
        let draft = files.instance.runDirectory + "/manifest"
        try PluginFiles.write(
            "file appendonly.aof.1.base.rdb seq 1 type b\n", to: draft,
            PluginFiles.Access(mode: 0o600, owner: files.owner))
        defer { try? PluginFiles.remove(draft) }
        try run([Programs.makeDirectory, "-p", "-m", "700", "--", files.appendDirectory], call)
        try run([Programs.link, "-f", "--", files.snapshotPath, files.basePath], call)
        // Whole or not at all: from here on the base is what the engine starts from.
        try run([Programs.copy, "--", draft, files.manifestPath + ".new"], call)
        try run([Programs.move, "-f", "--", files.manifestPath + ".new", files.manifestPath], call)
        try run([Programs.remove, "-f", "--", files.snapshotPath], call)
    }

    private func run(_ argv: [String], _ call: Call) throws {
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        let result = try Host.run(Command(argv, as: .engine, environment: environment), call: call)
        guard result.isSuccess else {
            throw PluginFailure(.internal, "\(argv[0]) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }
}
