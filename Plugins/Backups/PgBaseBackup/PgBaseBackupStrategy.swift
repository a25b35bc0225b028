// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// One instance's full backups and restores, with the engine's own tools run as the engine's uid.
final class PgBaseBackupStrategy: BackupPlugin {
    static let kinds: BackupKinds = .full

    private static let unpacker = "/usr/bin/tar"
    /// What the tool adds to the stream and what tells that a restored directory is whole.
    private static let manifest = "backup_manifest"
    /// What a running server leaves in its directory, and what would make the copy something else than a server of its own:
    /// settings made at run time belong to the source, and signals would make it a replica.
    private static let leftovers = [
        "postmaster.pid", "postmaster.opts", "postgresql.auto.conf", "postgresql.auto.conf.tmp", "standby.signal",
        "recovery.signal", "postgresql.conf", "pg_hba.conf", "pg_ident.conf", "current_logfiles",
    ]

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
        let tool = try program("pg_basebackup")
        let passwords = instance.runDirectory + "/backup.pgpass"
        // Not in the arguments or the environment, which others may read.
        try PluginFiles.write(
            PasswordFile.text(access), to: passwords, PluginFiles.Access(mode: 0o400, owner: owner))
        defer { try? PluginFiles.remove(passwords) }
        let hold = try LogHold(access)
        call.progress(nil, "copying the data")
        let result = try withExtendedLifetime(hold) {
            try Host.run(
                Command(arguments(tool, access), as: .engine, environment: environment(passwords)),
                output: descriptor, call: call)
        }
        guard result.isSuccess else { throw failure(tool, result) }
        return try position(result)
    }

    func restore(_ request: RestoreRequest, from input: BackupInput, call: Call) throws {
        try requireFull(request.isIncremental)
        guard let descriptor = input.descriptor else { throw missingDescriptor }
        try PluginFiles.makeDirectory(data, owner: owner)
        call.progress(nil, "unpacking the data")
        let result = try Host.run(
            Command(
                [Self.unpacker, "-x", "-f", "-", "-C", data, "--no-same-owner", "--blocking-factor=512"],
                as: .engine, environment: environment()), input: descriptor, call: call)
        guard result.isSuccess else { throw failure(Self.unpacker, result) }
        guard try PluginFiles.names(in: data).contains(Self.manifest) else {
            throw PluginFailure(.invalidArgument, "the stream is not a backup of this kind, or it is not whole")
        }
    }

    func postRestore(_ request: RestoreRequest, call: Call) throws {
        try requireFull(request.isIncremental)
        let names =
            try PluginFiles.names(in: instance.dataDirectory).contains("pgdata") ? PluginFiles.names(in: data) : []
        guard names.contains(Self.manifest) else {
            // The manifest goes last: without it but with data, this has been done before.
            if names.contains("PG_VERSION") { return }
            throw PluginFailure(.preconditionFailed, "\(data) holds no unpacked backup")
        }
        call.progress(nil, "comparing the files with the backup's list")
        // Checksums of the stream are the host's; what is left to see is that every file is there, and whole.
        let tool = try program("pg_verifybackup")
        let result = try Host.run(
            Command(
                [tool, "--quiet", "--exit-on-error", "--skip-checksums", "--no-parse-wal", data], as: .engine,
                environment: environment()), call: call)
        guard result.isSuccess else { throw failure(tool, result) }
        for name in Self.leftovers + [Self.manifest] { try PluginFiles.remove(data + "/" + name) }
    }

    private var data: String { instance.dataDirectory + "/pgdata" }
    private var owner: (uid: UInt32, gid: UInt32) { (instance.uid, instance.gid) }

    private func arguments(_ tool: String, _ access: BackupAccess) -> [String] {
        // The directory of the socket is the host for the client library.
        let host = access.socket.map { $0.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 } }
        return [
            tool, "--host=\(host ?? access.address)", "--port=\(access.port)", "--username=\(access.user)",
            "--no-password", "--pgdata=-", "--format=tar", "--wal-method=fetch", "--checkpoint=fast", "--verbose",
            "--label=trove", "--manifest-checksums=CRC32C",
        ]
    }

    private func environment(_ passwords: String? = nil) -> [String: String] {
        var environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        if let passwords {
            environment["PGPASSFILE"] = passwords
            environment["PGSSLMODE"] = "disable"
            environment["PGGSSENCMODE"] = "disable"
        }
        return environment
    }

    private func program(_ name: String) throws -> String {
        let version = instance.datastore.version
        guard let major = version.split(separator: ".").first.flatMap({ Int($0) }), major > 0 else {
            throw PluginFailure(.invalidArgument, "PostgreSQL has no version \"\(version)\"")
        }
        return "/usr/lib/postgresql/\(major)/bin/\(name)"
    }

    private var missingDescriptor: PluginFailure {
        PluginFailure(.unsupported, "the host's stream has no descriptor to give to a program")
    }

    private func requireFull(_ isIncremental: Bool) throws {
        guard !isIncremental else { throw PluginFailure.unsupported("an incremental backup") }
    }

    private func failure(_ program: String, _ result: CommandResult) -> PluginFailure {
        PluginFailure(.internal, "\(program) ended with \(result.summary): \(result.lastErrorLine)")
    }

    /// Where in the write-ahead log the copy begins and ends, as the tool says it, e.g. `0/2000028`.
    private func position(_ result: CommandResult) throws -> JSON {
        var position: [String: JSON] = [:]
        for (key, words) in [
            ("start_lsn", "write-ahead log start point: "), ("end_lsn", "write-ahead log end point: "),
        ] {
            for line in result.standardErrorTail.split(whereSeparator: \.isNewline) {
                guard let found = line.firstRange(of: words) else { continue }
                position[key] = .string(String(line[found.upperBound...].prefix { $0 != " " }))
            }
        }
        guard position.count == 2 else {
            throw PluginFailure(.internal, "pg_basebackup did not say where its copy begins and ends")
        }
        return .object(position)
    }
}

/// The file that holds the login. Source: PostgreSQL manual, "The Password File".
enum PasswordFile {
    static func text(_ access: BackupAccess) -> String {
        "*:\(access.port):*:\(escaped(access.user)):\(escaped(access.password))\n"
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar == ":" || scalar == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(scalar)
        }
        return result
    }
}
