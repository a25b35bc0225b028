// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin

/// Which backups a strategy makes.
public struct BackupKinds: OptionSet, Sendable {
    /// `TROVE_BACKUP_*`.
    public let rawValue: UInt32
    /// A set of kinds.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Full backups.
    public static let full = BackupKinds(rawValue: 1)
    /// Backups relative to a parent.
    public static let incremental = BackupKinds(rawValue: 2)
}

/// What is to be copied: `backup-request`.
public struct BackupRequest: Sendable {
    /// Whether only the changes since `parent` are wanted.
    public var isIncremental: Bool
    /// The parent's position.
    public var parent: JSON?
    /// Memory of the instance in MiB.
    public var memoryMiB: Int

    init(_ json: JSON) throws {
        isIncremental = try json.text("type") == "incremental"
        parent = json["parent"].flatMap { $0.isNull ? nil : $0 }
        memoryMiB = try json.integer("memory_mb")
    }
}

/// What is to be restored: `restore-request`.
public struct RestoreRequest: Sendable {
    /// Whether the stream holds only the changes since a parent.
    public var isIncremental: Bool
    /// The position that the backup emitted; `nil` when it is not known.
    public var position: JSON?
    /// The position of the backup that this increment adds to; `nil` when it is not known, or of a full backup.
    public var parent: JSON?
    /// Whether an increment that adds to this one comes next, in another call of `restore`.
    public var hasMore: Bool
    /// Memory of the instance in MiB.
    public var memoryMiB: Int

    init(_ json: JSON) throws {
        isIncremental = try json.text("type") == "incremental"
        position = json["position"].flatMap { $0.isNull ? nil : $0 }
        parent = json["parent"].flatMap { $0.isNull ? nil : $0 }
        hasMore = json["more"]?.boolValue ?? false
        memoryMiB = try json.integer("memory_mb")
    }
}

/// A backup strategy: yields or eats the engine's bytes. `trove.backup/1`.
///
/// Compression, encryption, checksums and the object store are the host's. Functions run on worker threads and may block.
public protocol BackupPlugin {
    /// What it can do.
    static var kinds: BackupKinds { get }
    /// `access` is there for a backup, not for a restore.
    init(instance: InstanceDocument, access: BackupAccess?, call: Call) throws
    /// Nothing that is running is stopped.
    func close()
    /// Writes a consistent copy to `output`; returns the position, an object.
    func backup(_ request: BackupRequest, to output: BackupOutput, call: Call) throws -> JSON
    /// Fills the empty data directory; of a chain, it is called for the full backup, then for each increment, oldest first.
    /// A repeat starts from an empty directory, and with the full backup, again.
    func restore(_ request: RestoreRequest, from input: BackupInput, call: Call) throws
    /// Makes what `restore` left ready for the datastore's `prepare`; once, with the request of the last `restore`.
    func postRestore(_ request: RestoreRequest, call: Call) throws
}

extension BackupPlugin {
    /// Full backups only.
    public static var kinds: BackupKinds { .full }
    /// Nothing to free.
    public func close() {}
    /// Nothing to do.
    public func postRestore(_ request: RestoreRequest, call: Call) throws {}
}

extension PluginExtension {
    /// Offers `type` as `trove.backup/1`.
    public static func backup(_ type: any BackupPlugin.Type) -> PluginExtension {
        BackupTable.type = type
        return PluginExtension(TROVE_EXT_BACKUP, BackupTable.table(flags: type.kinds.rawValue))
    }
}

private enum BackupTable {
    // Written once in the entry function, before the table is handed out.
    nonisolated(unsafe) static var type: (any BackupPlugin.Type)?

    final class Box {
        let backup: any BackupPlugin
        init(_ backup: any BackupPlugin) { self.backup = backup }
    }

    static func open(
        _ handle: OpaquePointer?, _ config: trove_str, _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let type, let result else { throw PluginFailure(.internal, "the plugin offers no backups") }
            let json = try JSON(borrowed: config)
            let access = try json["access"].flatMap { $0.isNull ? nil : try BackupAccess($0) }
            let backup = try type.init(instance: try InstanceDocument(json), access: access, call: call)
            result.pointee = Unmanaged.passRetained(Box(backup)).toOpaque()
        }
    }

    static func serve(
        _ selfPointer: UnsafeMutableRawPointer?, _ handle: OpaquePointer?, _ request: trove_str,
        _ body: (any BackupPlugin, JSON, Call) throws -> Void
    ) -> trove_status {
        TrovePluginKit.serve(handle) { call in
            guard let selfPointer else { throw PluginFailure(.internal, "the host gave no backup strategy") }
            let box = Unmanaged<Box>.fromOpaque(selfPointer).takeUnretainedValue()
            try body(box.backup, try JSON(borrowed: request), call)
        }
    }

    static func table(flags: UInt32) -> trove_backup_1 {
        trove_backup_1(
            size: UInt32(MemoryLayout<trove_backup_1>.size), flags: flags,
            open: { BackupTable.open($0, $1, $2) },
            close: { pointer in
                guard let pointer else { return }
                Unmanaged<BackupTable.Box>.fromOpaque(pointer).takeRetainedValue().backup.close()
            },
            backup: { pointer, handle, request, output in
                BackupTable.serve(pointer, handle, request) { backup, json, call in
                    guard let output else { throw PluginFailure(.invalidArgument, "the host gave no stream") }
                    let request = try BackupRequest(json)
                    let position = try backup.backup(request, to: BackupOutput(stream: output), call: call)
                    try call.emit(["position": position])
                }
            },
            restore: { pointer, handle, request, input in
                BackupTable.serve(pointer, handle, request) { backup, json, call in
                    guard let input else { throw PluginFailure(.invalidArgument, "the host gave no stream") }
                    try backup.restore(try RestoreRequest(json), from: BackupInput(stream: input), call: call)
                }
            },
            post_restore: { pointer, handle, request in
                BackupTable.serve(pointer, handle, request) { backup, json, call in
                    try backup.postRestore(try RestoreRequest(json), call: call)
                }
            }
        )
    }
}
