// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// One instance's backups and restores, with the engine's own tools run as the engine's uid.
///
/// An increment holds the pages that changed since its parent's `to_lsn`, which is all that is needed of the parent. In a
/// restore the whole copy is unpacked into the data directory and its log applied; then each increment is unpacked beside it,
/// on the same volume, and merged in, oldest first.
final class MariaBackupStrategy: BackupPlugin {
    static let kinds: BackupKinds = [.full, .incremental]

    private let instance: InstanceDocument
    private let access: BackupAccess?
    private let tools: BackupTools

    init(instance: InstanceDocument, access: BackupAccess?, call: Call) throws {
        self.instance = instance
        self.access = access
        tools = BackupTools(instance: instance)
    }

    func backup(_ request: BackupRequest, to output: BackupOutput, call: Call) throws -> JSON {
        let parent = try parent(request)
        guard let access else {
            throw PluginFailure(.invalidArgument, "a backup needs \"access\" in its configuration")
        }
        guard let descriptor = output.descriptor else { throw missingDescriptor }
        let history = try mark(needed: parent)
        let login = instance.runDirectory + "/backup.cnf"
        let scratch = instance.runDirectory + "/backup"
        try WorkTree.make(scratch, owner: owner)
        defer { try? WorkTree.remove(scratch) }
        // Not in the arguments, which every process may read.
        try PluginFiles.write(
            OptionFile.text(access, instance), to: login, PluginFiles.Access(mode: 0o400, owner: owner))
        defer { try? PluginFiles.remove(login) }
        tools.flush(login: login, call: call)
        call.progress(nil, parent == nil ? "copying the data" : "copying what changed")
        try tools.copy(login: login, scratch: scratch, since: parent?.to, to: descriptor, call: call)
        guard let made = try Checkpoints(in: scratch) else {
            throw PluginFailure(.internal, "\(BackupTools.tool) did not say where its copy ends")
        }
        guard made.kind == (parent == nil ? .full : .incremental), made.from == parent?.to ?? 0, made.to >= made.from
        else {
            throw PluginFailure(
                .preconditionFailed,
                "the parent ends at \(parent?.to ?? 0), which the engine's log has not reached (\(made.to)): it is no parent"
                    + " of this data; make a full backup")
        }
        return Position(to: made.to, history: history).json
    }

    func restore(_ request: RestoreRequest, from input: BackupInput, call: Call) throws {
        guard let descriptor = input.descriptor else { throw missingDescriptor }
        let position = try request.position.map { try Position($0) }
        if request.isIncremental {
            try add(position, request, descriptor, call)
        } else {
            try unpack(position, descriptor, call)
        }
    }

    func postRestore(_ request: RestoreRequest, call: Call) throws {
        let data = instance.dataDirectory
        guard let unpacked = try Checkpoints(in: data) else {
            throw PluginFailure(.preconditionFailed, "\(data) holds no unpacked backup")
        }
        try WorkTree.remove(workDirectory)
        if unpacked.kind != .prepared {
            call.progress(nil, "applying the log")
            try tools.prepare(memoryMiB: request.memoryMiB, call: call)
        }
        // The position in the binary log stays: replication may ask for it. The checkpoints go last, so that a repeat of
        // an interrupted call prepares again.
        for name in ["backup-my.cnf", "xtrabackup_info", Checkpoints.file] {
            try PluginFiles.remove(data + "/" + name)
        }
    }

    // MARK: Backups

    private func parent(_ request: BackupRequest) throws -> Position? {
        guard request.isIncremental else { return nil }
        guard let parent = request.parent else {
            throw PluginFailure(.invalidArgument, "an incremental backup needs \"parent\", the parent's position")
        }
        return try Position(parent)
    }

    /// The history of the data; nil when a full backup cannot mark it, say on a full volume.
    ///
    /// - Throws: `preconditionFailed` when `parent` is of another one.
    private func mark(needed parent: Position?) throws -> String? {
        let history = DataHistory(instance)
        guard let parent else { return try? history.readOrMake(owner: owner) }
        guard let mark = try history.read(), mark == parent.history else {
            throw PluginFailure(
                .preconditionFailed,
                "the parent is of other data: this data was restored or made anew since, or its history is not known; make"
                    + " a full backup")
        }
        return mark
    }

    // MARK: Restores

    private func unpack(_ position: Position?, _ descriptor: Int32, _ call: Call) throws {
        call.progress(nil, "unpacking the data")
        try tools.unpack(descriptor, into: instance.dataDirectory, call: call)
        let unpacked = try found(in: instance.dataDirectory)
        guard unpacked.kind == .full else {
            throw PluginFailure(
                .invalidArgument,
                "the stream holds only what changed since another backup (from_lsn \(unpacked.from)), not a whole one:"
                    + " restore it after the backups that it adds to")
        }
        try require(unpacked, position)
    }

    /// Merges an increment into the copy that is there.
    private func add(_ position: Position?, _ request: RestoreRequest, _ descriptor: Int32, _ call: Call) throws {
        let data = instance.dataDirectory
        guard let base = try Checkpoints(in: data), base.kind != .incremental else {
            throw PluginFailure(
                .preconditionFailed,
                "\(data) holds no backup that an increment could be added to: restore a full one first")
        }
        if base.kind == .full {
            call.progress(nil, "applying the log")
            try tools.prepare(memoryMiB: request.memoryMiB, call: call)
        }
        // The tool takes directories of the data directory for databases, and looks for files in them, not deeper.
        let increment = workDirectory + "/increment"
        try WorkTree.make(workDirectory, owner: owner)
        defer { try? WorkTree.remove(workDirectory) }
        try WorkTree.make(increment, owner: owner)
        call.progress(nil, "unpacking what changed")
        try tools.unpack(descriptor, into: increment, call: call)
        let unpacked = try found(in: increment)
        guard unpacked.kind == .incremental else {
            throw PluginFailure(.invalidArgument, "the stream holds a whole backup, not an increment")
        }
        try require(unpacked, position)
        guard unpacked.from == base.to else {
            throw PluginFailure(
                .invalidArgument,
                "the increment begins at \(unpacked.from) of the engine's log, and what it is to be added to ends at"
                    + " \(base.to): a backup between them is missing")
        }
        call.progress(nil, "merging what changed")
        try tools.prepare(adding: increment, memoryMiB: request.memoryMiB, call: call)
        guard let merged = try Checkpoints(in: data), merged.kind == .prepared, merged.to == unpacked.to else {
            throw PluginFailure(.internal, "\(BackupTools.tool) did not merge the increment")
        }
    }

    private func found(in directory: String) throws -> Checkpoints {
        guard let found = try Checkpoints(in: directory) else {
            throw PluginFailure(.invalidArgument, "the stream is not a backup of this kind, or it is not whole")
        }
        return found
    }

    private func require(_ unpacked: Checkpoints, _ position: Position?) throws {
        guard let position, position.to != unpacked.to else { return }
        throw PluginFailure(
            .invalidArgument,
            "the stream ends at \(unpacked.to) of the engine's log, and the backup at \(position.to): it is another backup's"
        )
    }

    /// On the data's volume, which is the only one with room; gone before the datastore sees the directory.
    private var workDirectory: String { instance.dataDirectory + "/.trove-restore" }

    private var owner: (uid: UInt32, gid: UInt32) { (instance.uid, instance.gid) }

    private var missingDescriptor: PluginFailure {
        PluginFailure(.unsupported, "the host's stream has no descriptor to give to a program")
    }
}
