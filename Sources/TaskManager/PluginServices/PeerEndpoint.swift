// SPDX-License-Identifier: Apache-2.0

package import Calls
import Messaging
package import Model
package import PluginHost
package import StateStore

/// Hands what guests' plugins send to the same plugins in the control plane.
package struct PeerEndpoint: PluginMessageEndpoint {
    private let store: any StateStore
    private let plugins: any ControlPlugins

    package init(store: any StateStore, plugins: any ControlPlugins) {
        self.store = store
        self.plugins = plugins
    }

    /// - Throws: `RPCFault`; `NotFound` for an instance that is not there.
    package func handle(_ message: PluginMessage, context: RequestContext) async throws -> JSONValue {
        let instance = try await store.read { try $0.instances.find(message.instanceID) }
        guard let instance else {
            throw RPCFault(className: "NotFound", message: "There is no instance \(message.instanceID).")
        }
        // The instance's project is the one that the plugin works for meanwhile.
        let own = RequestContext(requestID: context.requestID, projectID: instance.projectID)
        let document = PeerMessage(
            instanceID: instance.id, method: message.method, payload: message.payload
        ).document(from: .guest, instanceID: instance.id)
        do throws(PluginError) {
            return try await plugins.peer(
                message.pluginID, document,
                CallOptions(deadline: .after(ConductorVerb.pluginTimeout), context: own, instanceID: instance.id))
        } catch {
            throw PeerFault.fault(code: error.code.description, message: error.message)
        }
    }
}

extension PluginError {
    /// What became of a message to a peer: its own failure, or trouble on the way.
    init(peer error: MessagingError) {
        let outcome = PeerFault.outcome(error, peer: "the guest")
        self.init(Code(text: outcome.code) ?? .unavailable, outcome.message)
    }
}
