// SPDX-License-Identifier: Apache-2.0

package import Model

/// One use of a backup strategy, opened through `trove.backup/1`.
package final class BackupSession: Sendable {
    private init() {}

    package static func open(
        _ registry: PluginRegistry, reference: String, config: JSONValue, options: CallOptions
    ) async throws(PluginError) -> BackupSession { throw PluginError(.unavailable, "not loaded") }

    package func backup(
        _ request: JSONValue, outputFD: Int32, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue { throw PluginError(.unavailable, "not loaded") }

    package func restore(
        _ request: JSONValue, inputFD: Int32, _ options: CallOptions
    ) async throws(PluginError) { throw PluginError(.unavailable, "not loaded") }

    package func postRestore(_ request: JSONValue, _ options: CallOptions) async throws(PluginError) {
        throw PluginError(.unavailable, "not loaded")
    }

    package func close() async {}
}
