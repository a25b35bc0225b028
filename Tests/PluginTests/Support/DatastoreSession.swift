// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import TrovePluginKit

/// One instance's datastore, driven over the C table alone.
final class DatastoreSession {
    typealias Function = @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?, trove_str) -> trove_status

    let table: trove_datastore_1
    private let pointer: UnsafeMutableRawPointer

    init(_ config: JSON, image: Result<PluginImage, any Error> = PluginImage.mariaDB) throws {
        table = try image.get().table(TROVE_EXT_DATASTORE, trove_datastore_1.self)
        var made: UnsafeMutableRawPointer?
        guard let open = table.open else { throw TestProblem("open is NULL") }
        _ = try config.text.lent { config in
            try TestCall().run { token, _ in open(token, config, &made) }
        }
        guard let made else { throw TestProblem("open gave no self") }
        pointer = made
    }

    deinit { table.close?(pointer) }

    /// Calls a function of the table.
    @discardableResult
    func call(
        _ function: KeyPath<trove_datastore_1, Function?>, _ request: JSON = [:], in call: TestCall = TestCall()
    ) throws -> JSON {
        guard let function = table[keyPath: function] else { throw TestProblem("the entry is NULL") }
        return try request.text.lent { request in
            try call.run { token, _ in function(pointer, token, request) } ?? .null
        }
    }

    /// Lends the self that `open` made.
    func lending<Result>(_ body: (UnsafeMutableRawPointer) throws -> Result) rethrows -> Result { try body(pointer) }

    func status() throws -> trove_service_status_1 {
        var status = trove_service_status_1()
        status.size = UInt32(MemoryLayout<trove_service_status_1>.size)
        _ = try TestCall(limit: .seconds(5)).run { token, _ in table.status?(pointer, token, &status) ?? 12 }
        return status
    }
}

/// One instance's backup strategy, driven over the C table alone.
final class BackupSession {
    let table: trove_backup_1
    private let pointer: UnsafeMutableRawPointer

    init(_ config: JSON, image: Result<PluginImage, any Error> = PluginImage.mariaBackup) throws {
        table = try image.get().table(TROVE_EXT_BACKUP, trove_backup_1.self)
        var made: UnsafeMutableRawPointer?
        guard let open = table.open else { throw TestProblem("open is NULL") }
        _ = try config.text.lent { config in
            try TestCall().run { token, _ in open(token, config, &made) }
        }
        guard let made else { throw TestProblem("open gave no self") }
        pointer = made
    }

    deinit { table.close?(pointer) }

    func backup(_ request: JSON, to descriptor: Int32) throws -> JSON {
        var stream = trove_ostream_1(
            size: UInt32(MemoryLayout<trove_ostream_1>.size), fd: descriptor, ctx: nil, write: { _, _, _ in -1 })
        return try request.text.lent { request in
            try TestCall().run { token, _ in table.backup?(pointer, token, request, &stream) ?? 12 } ?? .null
        }
    }

    func restore(_ request: JSON, from descriptor: Int32) throws {
        var stream = trove_istream_1(
            size: UInt32(MemoryLayout<trove_istream_1>.size), fd: descriptor, ctx: nil, read: { _, _, _ in -1 })
        _ = try request.text.lent { request in
            try TestCall().run { token, _ in table.restore?(pointer, token, request, &stream) ?? 12 }
        }
    }

    func postRestore(_ request: JSON) throws {
        _ = try request.text.lent { request in
            try TestCall().run { token, _ in table.post_restore?(pointer, token, request) ?? 12 }
        }
    }
}
