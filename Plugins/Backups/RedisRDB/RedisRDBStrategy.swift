// SPDX-License-Identifier: Apache-2.0

import Glibc
import RedisClient
import TrovePluginKit

/// One instance's full backups and restores.
///
/// A backup is what the engine sends to a replica: a snapshot of one moment, written by a child of the engine straight into
/// the stream, so it needs no room on the volume. The tenants' users go in front of it. A restore leaves the snapshot as
/// `dump.rdb` and the users as `users.acl`; the datastore's plugin makes of it what the instance's configuration asks for
/// (a log of changes begins with it).
///
/// Shape of the stream: the line `trove-redis 1`, the line `users N`, N bytes of an ACL file, the snapshot (RDB) to the end.
final class RedisRDBStrategy: BackupPlugin {
    static let kinds: BackupKinds = .full

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
        call.progress(nil, "asking for a snapshot")
        let connection = try Connection(
            address: access.address, port: access.port, user: access.user, password: access.password,
            timeoutSeconds: 60)
        let users = try connection.run(["ACL", "LIST"], "list users").items.compactMap(\.textValue)
            .compactMap { AccessEntry(line: $0) }.filter { !Accounts.reserved.contains($0.name) }
        try StreamHeader(users: AccessEntry.file(users)).write(to: output)
        let bytes = try SnapshotTransfer(connection: connection, call: call).copy(to: output)
        return ["rdb_bytes": .string(String(bytes))]
    }

    func restore(_ request: RestoreRequest, from input: BackupInput, call: Call) throws {
        try requireFull(request.isIncremental)
        call.progress(nil, "writing the snapshot")
        let reader = StreamReader(input)
        let header = try StreamHeader(reader)
        let bytes = try SnapshotFile.write(reader, to: snapshotPath, owner: owner, call: call)
        if let expected = try request.position?.optionalText("rdb_bytes"), expected != String(bytes) {
            throw PluginFailure(
                .invalidArgument, "the stream holds a snapshot of \(bytes) bytes; the backup had \(expected)")
        }
        try PluginFiles.write(
            header.users, to: instance.dataDirectory + "/users.acl", PluginFiles.Access(mode: 0o600, owner: owner))
    }

    /// Reads the snapshot once more as the engine would, against its checksum.
    func postRestore(_ request: RestoreRequest, call: Call) throws {
        try requireFull(request.isIncremental)
        guard Glibc.access(snapshotPath, F_OK) == 0 else {
            throw PluginFailure(.preconditionFailed, "\(instance.dataDirectory) holds no restored snapshot")
        }
        call.progress(nil, "checking the snapshot")
        let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
        let result = try Host.run(
            Command([Self.checker, snapshotPath], as: .engine, environment: environment), call: call)
        guard result.isSuccess else {
            throw PluginFailure(.invalidArgument, "\(Self.checker) found the snapshot damaged: \(result.summary)")
        }
    }

    private static let checker = "/usr/bin/redis-check-rdb"

    private var owner: (uid: UInt32, gid: UInt32) { (instance.uid, instance.gid) }

    private var snapshotPath: String { instance.dataDirectory + "/dump.rdb" }

    private func requireFull(_ isIncremental: Bool) throws {
        guard !isIncremental else { throw PluginFailure.unsupported("an incremental backup") }
    }
}
