// SPDX-License-Identifier: Apache-2.0

import Glibc
import TrovePluginKit

/// One instance's full backups and restores, with the engine's own tools run as the engine's uid.
final class MariaBackupStrategy: BackupPlugin {
    static let kinds: BackupKinds = .full

    private static let tool = "/usr/bin/mariabackup"
    private static let unpacker = "/usr/bin/mbstream"
    /// What the tool says last, and only then is its work whole: exit status 0 alone does not tell.
    private static let success = "completed OK!"

    private let instance: InstanceDocument
    private let access: BackupAccess?

    init(instance: InstanceDocument, access: BackupAccess?, call: Call) throws {
        self.instance = instance
        self.access = access
    }

    func backup(_ request: BackupRequest, to output: BackupOutput, call: Call) throws -> JSON {
        try requireFull(request.isIncremental)
        guard let access else {
            throw PluginFailure(.invalidArgument, "a backup needs \"access\" in its configuration")
        }
        guard let descriptor = output.descriptor else { throw missingDescriptor }
        let login = instance.runDirectory + "/backup.cnf"
        let scratch = instance.runDirectory + "/backup"
        try clear(scratch)
        try PluginFiles.makeDirectory(scratch, owner: owner)
        defer { try? clear(scratch) }
        // Not in the arguments, which every process may read.
        try PluginFiles.write(
            OptionFile.text(access, instance), to: login, PluginFiles.Access(mode: 0o400, owner: owner))
        defer { try? PluginFiles.remove(login) }
        call.progress(nil, "copying the data")
        let result = try Host.run(
            Command(
                [
                    Self.tool, "--defaults-file=\(login)", "--backup", "--stream=xbstream", "--target-dir=\(scratch)",
                    "--extra-lsndir=\(scratch)",
                ], as: .engine, environment: environment), output: descriptor, call: call)
        try check(result, Self.tool)
        return try position(scratch)
    }

    func restore(_ request: RestoreRequest, from input: BackupInput, call: Call) throws {
        try requireFull(request.isIncremental)
        guard let descriptor = input.descriptor else { throw missingDescriptor }
        call.progress(nil, "unpacking the data")
        let result = try Host.run(
            Command(
                [Self.unpacker, "-x", "-C", instance.dataDirectory], as: .engine, environment: environment),
            input: descriptor, call: call)
        guard result.isSuccess else {
            throw PluginFailure(
                .internal, "\(Self.unpacker) ended with \(result.summary): \(result.lastErrorLine)")
        }
        guard try PluginFiles.names(in: instance.dataDirectory).contains("xtrabackup_checkpoints") else {
            throw PluginFailure(.invalidArgument, "the stream is not a backup of this kind, or it is not whole")
        }
    }

    func postRestore(_ request: RestoreRequest, call: Call) throws {
        try requireFull(request.isIncremental)
        guard try PluginFiles.names(in: instance.dataDirectory).contains("xtrabackup_checkpoints") else {
            throw PluginFailure(.preconditionFailed, "\(instance.dataDirectory) holds no unpacked backup")
        }
        call.progress(nil, "applying the log")
        // The rest of the instance's memory is for the tool itself and for the page cache.
        let memory = min(max(request.memoryMiB / 2, 64), 4096)
        let result = try Host.run(
            Command(
                [
                    Self.tool, "--no-defaults", "--prepare", "--target-dir=\(instance.dataDirectory)",
                    "--use-memory=\(memory)M",
                ], as: .engine, environment: environment), call: call)
        try check(result, Self.tool)
        // The position in the binary log stays: replication may ask for it. The checkpoints go last, so that a repeat of
        // an interrupted call prepares again.
        for name in ["backup-my.cnf", "xtrabackup_info", "xtrabackup_checkpoints"] {
            try PluginFiles.remove(instance.dataDirectory + "/" + name)
        }
    }

    private var owner: (uid: UInt32, gid: UInt32) { (instance.uid, instance.gid) }

    private var environment: [String: String] { ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"] }

    private var missingDescriptor: PluginFailure {
        PluginFailure(.unsupported, "the host's stream has no descriptor to give to a program")
    }

    private func requireFull(_ isIncremental: Bool) throws {
        guard !isIncremental else { throw PluginFailure.unsupported("an incremental backup") }
    }

    private func check(_ result: CommandResult, _ program: String) throws {
        guard result.isSuccess, result.lastErrorLine.hasSuffix(Self.success) else {
            throw PluginFailure(.internal, "\(program) ended with \(result.summary): \(result.lastErrorLine)")
        }
    }

    /// Where in the engine's log the copy ends; text, since it may be beyond 2^53.
    private func position(_ directory: String) throws -> JSON {
        let text = try PluginFiles.read(directory + "/xtrabackup_checkpoints") ?? ""
        let values = text.split(separator: "\n").compactMap { line -> (String, JSON)? in
            let parts = line.split(separator: "=", maxSplits: 1).map { part in
                String(part.filter { !$0.isWhitespace })
            }
            guard parts.count == 2, parts[0] == "to_lsn", UInt64(parts[1]) != nil else { return nil }
            return (parts[0], .string(parts[1]))
        }
        guard !values.isEmpty else { throw PluginFailure(.internal, "\(Self.tool) did not say where its copy ends") }
        return .object(Dictionary(values, uniquingKeysWith: { first, _ in first }))
    }

    /// Deletes a flat directory; one that is not there is fine.
    private func clear(_ directory: String) throws {
        var status = stat()
        guard lstat(directory, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try PluginFiles.names(in: directory) { try PluginFiles.remove(directory + "/" + name) }
            rmdir(directory)
        } else {
            try PluginFiles.remove(directory)
        }
    }
}

/// The option file that holds the login.
enum OptionFile {
    /// The engine's own options, where there are any, and the login.
    static func text(_ access: BackupAccess, _ instance: InstanceDocument) -> String {
        var lines: [String] = []
        if let file = access.configFile { lines.append("!include \(file)") }
        lines += ["[mariabackup]", "user = \(quoted(access.user))", "password = \(quoted(access.password))"]
        if let socket = access.socket {
            lines.append("socket = \(quoted(socket))")
        } else {
            lines += ["host = \(quoted(access.address))", "port = \(access.port)"]
        }
        lines.append("datadir = \(quoted(access.dataDirectory))")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }
}
