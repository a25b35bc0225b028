// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Model

/// A backup of known content, restored into a second instance.
final class EngineBackup {
    private let group: EngineGroup

    init(_ group: EngineGroup) { self.group = group }

    func check() throws {
        guard let instance = group.instance else { throw Unusable() }
        guard let raw = group.strategy?.table(TROVE_EXT_BACKUP) else {
            return ChildReporter.shared.skip("engine.backup", "No backup strategy was given; use --backup DIR.")
        }
        let table = raw.load(as: trove_backup_1.self)
        guard let access = try group.need("backup", "backup_access", [:])?.document else {
            return ChildReporter.shared.skip("engine.backup", "The datastore has no backup_access.")
        }
        let before = try EngineAccounts(group).content(of: instance)
        let path = group.root + "/stream"
        let request: JSONValue = ["type": "full", "memory_mb": 1024]
        let position = try write(table, instance.config.adding("access", access), request, path)
        try instance.stop()
        let restored = try group.makeRestored()
        try read(table, restored.config, request.adding("position", position), path)
        let prepare = group.prepareRequest.replacing(["restored"], with: true)
        guard try group.need("backup", "prepare", prepare, of: restored)?.isOK == true else { throw Unusable() }
        do { try restored.start() } catch {
            group.fail("backup", "The engine does not start from a restored backup: \(error); \(restored.lastWords).")
            throw Unusable()
        }
        try group.judgeActive("backup", restored)
        try group.judgeContent("backup", before, restored, "a restore")
        try restored.stop()
        try instance.start()
    }

    private func open(_ table: trove_backup_1, _ config: JSONValue) throws -> OpenedSelf {
        guard let open = table.open, let close = table.close else { throw Unusable() }
        var config = config
        let state =
            group.root + "/" + (config["instance_id"]?.stringValue?.hasSuffix("b") == true ? "b" : "a")
            + "/state/plugins/" + (group.engine.backupID ?? "")
        mkdir(state, 0o700)
        config = config.replacing(["state_dir"], with: .string(state))
        let opened = OpenedSelf("backup", group.caller, open: open, close: close)
        try opened.begin(config)
        guard opened.isOpen else { throw Unusable() }
        return opened
    }

    private func write(
        _ table: trove_backup_1, _ config: JSONValue, _ request: JSONValue, _ path: String
    ) throws -> JSONValue {
        guard let backup = table.backup else { throw Unusable() }
        let opened = try open(table, config)
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ConformanceError("\(path) cannot be written") }
        defer { close(file) }
        let stream = FileStreams.output(file)
        defer { stream.deallocate() }
        let outcome = try group.caller.call(
            "backup.backup", Array(request.serialized),
            plan: CallPlan(limit: .seconds(600), reply: .schema("backup-result"))
        ) { call, text in backup(opened.value, call, text, stream) }
        try opened.end()
        guard outcome.isOK, let position = outcome.document?["position"] else {
            group.fail("backup", "backup.backup failed with a running engine (\(outcome.text)).")
            throw Unusable()
        }
        guard lseek(file, 0, Int32(SEEK_END)) > 0 else {
            group.fail("backup", "backup.backup wrote nothing.")
            throw Unusable()
        }
        return position
    }

    private func read(_ table: trove_backup_1, _ config: JSONValue, _ request: JSONValue, _ path: String) throws {
        guard let restore = table.restore else { throw Unusable() }
        let opened = try open(table, config)
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ConformanceError("\(path) cannot be read") }
        defer { close(file) }
        let stream = FileStreams.input(file)
        defer { stream.deallocate() }
        var outcome = try group.caller.call(
            "backup.restore", Array(request.serialized), plan: CallPlan(limit: .seconds(600), reply: .nothing)
        ) { call, text in restore(opened.value, call, text, stream) }
        if outcome.isOK, let post = table.post_restore {
            outcome = try group.caller.call(
                "backup.post_restore", Array(request.serialized), plan: CallPlan(limit: .seconds(600), reply: .nothing)
            ) { call, text in post(opened.value, call, text) }
        }
        try opened.end()
        guard outcome.isOK else {
            group.fail("backup", "A backup could not be restored into an empty data directory (\(outcome.text)).")
            throw Unusable()
        }
    }
}

/// Streams over files, with their descriptors, as the agent gives them.
enum FileStreams {
    static func output(_ file: Int32) -> UnsafeMutablePointer<trove_ostream_1> {
        let stream = UnsafeMutablePointer<trove_ostream_1>.allocate(capacity: 1)
        stream.initialize(
            to: trove_ostream_1(
                size: UInt32(MemoryLayout<trove_ostream_1>.size), fd: file, ctx: nil,
                write: { stream, data, count in
                    guard let stream else { return -1 }
                    return Int64(Glibc.write(stream.pointee.fd, data, count))
                }))
        return stream
    }

    static func input(_ file: Int32) -> UnsafeMutablePointer<trove_istream_1> {
        let stream = UnsafeMutablePointer<trove_istream_1>.allocate(capacity: 1)
        stream.initialize(
            to: trove_istream_1(
                size: UInt32(MemoryLayout<trove_istream_1>.size), fd: file, ctx: nil,
                read: { stream, buffer, capacity in
                    guard let stream else { return -1 }
                    return Int64(Glibc.read(stream.pointee.fd, buffer, capacity))
                }))
        return stream
    }
}
