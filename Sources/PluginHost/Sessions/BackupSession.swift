// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
package import Model

/// One use of a backup strategy, opened through `trove.backup/1`. Calls run one after the other.
package final class BackupSession: Sendable {
    private let opened: OpenedSelf
    private let table: TablePointer<trove_backup_1>

    private init(opened: OpenedSelf, table: TablePointer<trove_backup_1>) {
        self.opened = opened
        self.table = table
    }

    /// The plugin's id and version.
    package var plugin: PluginDescription { opened.plugin.description }

    /// Whether the strategy makes backups relative to a parent.
    package var isIncremental: Bool { table.pointer.pointee.flags & UInt32(TROVE_BACKUP_INCREMENTAL) != 0 }

    /// - Parameters:
    ///   - reference: `id` or `id@version`.
    ///   - config: The backup-config document.
    /// - Throws: `notFound` without such a plugin (the message says why), `unsupported` if it is no strategy, and what the
    ///   plugin reports.
    package static func open(
        _ registry: PluginRegistry, reference: String, config: JSONValue, options: CallOptions
    ) async throws(PluginError) -> BackupSession {
        let plugin = try registry.require(reference)
        guard let table = plugin.tables.backup, let open = table.pointee.open, let close = table.pointee.close else {
            throw PluginError(.unsupported, pluginID: plugin.manifest.id, "does not provide \(TROVE_EXT_BACKUP)")
        }
        let opened = try await OpenedSelf.open(
            plugin, "backup.open", config: config.serialized, options: options, open: open, close: close)
        return BackupSession(opened: opened, table: TablePointer(table))
    }

    /// Writes a consistent copy of the engine's data.
    ///
    /// - Parameters:
    ///   - request: The backup-request document.
    ///   - outputFD: Stays the caller's; it is not written to after a successful or failed return, unless the error is
    ///     `timedOut` from a call that does not stop.
    /// - Returns: The backup-result document.
    package func backup(
        _ request: JSONValue, outputFD: Int32, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        guard let entry = table.pointer.pointee.backup else { throw missing("backup") }
        let bytes = request.serialized
        let output = try await opened.perform("backup.backup", options) { own, call, token in
            guard let stream = PluginStream.output(outputFD, call, token) else { return Self.badStream(call) }
            return entry(own.pointer, token, call.borrow(bytes), stream)
        }
        return try Document.parse(output, "backup.backup", opened.plugin.host.id)
    }

    /// Fills the empty data directory.
    ///
    /// - Parameters:
    ///   - request: The restore-request document.
    ///   - inputFD: Stays the caller's.
    package func restore(_ request: JSONValue, inputFD: Int32, _ options: CallOptions) async throws(PluginError) {
        guard let entry = table.pointer.pointee.restore else { throw missing("restore") }
        let bytes = request.serialized
        _ = try await opened.perform("backup.restore", options) { own, call, token in
            guard let stream = PluginStream.input(inputFD, call, token) else { return Self.badStream(call) }
            return entry(own.pointer, token, call.borrow(bytes), stream)
        }
    }

    /// Makes what `restore` left ready for the datastore. Nothing for a strategy that has nothing to do.
    package func postRestore(_ request: JSONValue, _ options: CallOptions) async throws(PluginError) {
        guard let entry = table.pointer.pointee.post_restore else { return }
        let bytes = request.serialized
        _ = try await opened.perform("backup.post_restore", options) { own, call, token in
            entry(own.pointer, token, call.borrow(bytes))
        }
    }

    /// Lets the plugin free its state. A repeat does nothing.
    package func close() async {
        await opened.close("backup.close", grace: opened.plugin.host.cancellationGrace)
    }

    private func missing(_ function: String) -> PluginError {
        PluginError(.unsupported, pluginID: opened.plugin.host.id, "has no \(function)")
    }

    private static func badStream(_ call: PluginCall) -> trove_status {
        call.record(PluginError(.invalidArgument, pluginID: call.host.id, "the stream is not an open descriptor"))
        return trove_status(TROVE_INVALID_ARGUMENT)
    }
}
