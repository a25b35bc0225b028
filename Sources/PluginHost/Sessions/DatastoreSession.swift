// SPDX-License-Identifier: Apache-2.0

package import Model

/// One instance's datastore, opened through `trove.datastore/1`.
package final class DatastoreSession: Sendable {
    private init() {}

    package static func open(
        _ registry: PluginRegistry, reference: String, config: JSONValue, options: CallOptions
    ) async throws(PluginError) -> DatastoreSession { throw PluginError(.unavailable, "not loaded") }

    package func call(
        _ function: DatastoreFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue { throw PluginError(.unavailable, "not loaded") }

    package func status(_ options: CallOptions) async throws(PluginError) -> EngineStatus {
        throw PluginError(.unavailable, "not loaded")
    }

    package func close() async {}
}
