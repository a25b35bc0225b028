// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Glibc
import Model

/// A backup of known content, restored into a second instance; and a chain of increments into a third, where there are any.
final class EngineBackup {
    private let group: EngineGroup

    /// One backup of a chain: where its stream lies, and where it ends.
    private struct Part {
        var path: String
        var position: JSONValue
    }

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
        let config = instance.config.adding("access", access)
        let full = try write(table, config, ["type": "full", "memory_mb": 1024], group.root + "/stream")
        var chain = [full]
        if table.flags & UInt32(TROVE_BACKUP_INCREMENTAL) != 0 {
            for number in 1...2 {
                try change(number)
                let request: JSONValue = [
                    "type": "incremental", "parent": chain[number - 1].position, "memory_mb": 1024,
                ]
                chain.append(try write(table, config, request, group.root + "/stream\(number)"))
            }
        }
        let after = try EngineAccounts(group).content(of: instance)
        try instance.stop()
        try restore(table, [full], into: "b", before, "a restore")
        if chain.count > 1 { try restore(table, chain, into: "c", after, "a restore of a chain of increments") }
        try instance.start()
    }

    /// Something that an increment has and its parent has not.
    private func change(_ number: Int) throws {
        let name = "check_chain_\(number)"
        if group.table.create_databases != nil {
            try group.need("backup", "create_databases", ["databases": [["name": .string(name)]]])
        } else if group.table.create_users != nil {
            let password = JSONValue.string("Pw-" + Caller.secret)
            try group.need(
                "backup", "create_users",
                ["users": [["name": .string(name), "password": password, "databases": []]]])
        }
    }

    private func restore(
        _ table: trove_backup_1, _ chain: [Part], into name: String, _ content: [String], _ event: String
    ) throws {
        let restored = try group.makeRestored(name)
        try read(table, restored.config, chain)
        let prepare = group.prepareRequest.replacing(["restored"], with: true)
        guard try group.need("backup", "prepare", prepare, of: restored)?.isOK == true else { throw Unusable() }
        do { try restored.start() } catch {
            group.fail("backup", "The engine does not start after \(event): \(error); \(restored.lastWords).")
            throw Unusable()
        }
        try group.judgeActive("backup", restored)
        try group.judgeContent("backup", content, restored, event)
        try restored.stop()
    }

    private func open(_ table: trove_backup_1, _ config: JSONValue) throws -> OpenedSelf {
        guard let open = table.open, let close = table.close else { throw Unusable() }
        var config = config
        let own = (config["state_dir"]?.stringValue ?? "").split(separator: "/").dropLast()
        let state = "/" + own.joined(separator: "/") + "/" + (group.engine.backupID ?? "")
        mkdir(state, 0o700)
        config = config.replacing(["state_dir"], with: .string(state))
        let opened = OpenedSelf("backup", group.caller, open: open, close: close)
        try opened.begin(config)
        guard opened.isOpen else { throw Unusable() }
        return opened
    }

    private func write(
        _ table: trove_backup_1, _ config: JSONValue, _ request: JSONValue, _ path: String
    ) throws -> Part {
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
        return Part(path: path, position: position)
    }

    private func read(_ table: trove_backup_1, _ config: JSONValue, _ chain: [Part]) throws {
        let opened = try open(table, config)
        var request = JSONValue.null
        var outcome: CallOutcome?
        for (index, part) in chain.enumerated() where outcome?.isOK ?? true {
            request = ["type": index == 0 ? "full" : "incremental", "position": part.position, "memory_mb": 1024]
            if index > 0 { request = request.adding("parent", chain[index - 1].position) }
            if index < chain.count - 1 { request = request.adding("more", true) }
            outcome = try read(table, opened, request, part.path)
        }
        guard var outcome else { throw Unusable() }
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

    private func read(
        _ table: trove_backup_1, _ opened: OpenedSelf, _ request: JSONValue, _ path: String
    ) throws -> CallOutcome {
        guard let restore = table.restore else { throw Unusable() }
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ConformanceError("\(path) cannot be read") }
        defer { close(file) }
        let stream = FileStreams.input(file)
        defer { stream.deallocate() }
        return try group.caller.call(
            "backup.restore", Array(request.serialized), plan: CallPlan(limit: .seconds(600), reply: .nothing)
        ) { call, text in restore(opened.value, call, text, stream) }
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
