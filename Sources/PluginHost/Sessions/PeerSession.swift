// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
package import Model

extension PluginRegistry {
    /// Hands a message of the other role to a plugin's `trove.rpc-peer/1`.
    ///
    /// - Parameters:
    ///   - reference: `id` or `id@version`.
    ///   - message: The rpc-message document.
    /// - Returns: What the plugin emitted, `null` without anything.
    /// - Throws: `notFound` without such a plugin, `unsupported` if it answers no peer; what it reports.
    package func peer(
        _ reference: String, _ message: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        let plugin = try require(reference)
        guard let handle = plugin.tables.rpcPeer?.pointee.handle else {
            throw PluginError(.unsupported, pluginID: plugin.manifest.id, "does not provide \(TROVE_EXT_RPC_PEER)")
        }
        let name = "rpc.\(message["method"]?.stringValue ?? "")"
        let call = PluginCall(host: plugin.host, function: name, options: options)
        let bytes = message.serialized
        let output = try await Invocation(call, on: plugin.lane) { call, token in
            handle(token, call.borrow(bytes))
        }.perform()
        return try Document.parse(output, name, plugin.manifest.id)
    }

    /// What each plugin did since it was loaded.
    package var statistics: [PluginStatistics] { plugins.map(\.host.statistics) }
}
