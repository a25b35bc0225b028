// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model
import PluginHost

/// Reaches plugins' control halves over the conductor.
struct GuestPeer: PluginPeer {
    let instanceID: String
    let conductor: ConductorClient

    func call(_ message: PeerMessage, _ caller: PluginCaller) throws(PluginError) -> JSONValue {
        let (message, context) = (try own(message, caller), Self.context(caller))
        let (conductor, deadline) = (conductor, caller.deadline)
        return try caller.wait("the message to the control plane") { () async throws(PluginError) -> JSONValue in
            do throws(MessagingError) {
                return try await conductor.callPlugin(message, context: context, timeout: deadline.remaining)
            } catch {
                throw PluginError(peer: error)
            }
        }
    }

    func cast(_ message: PeerMessage, _ caller: PluginCaller) throws(PluginError) {
        let (message, context) = (try own(message, caller), Self.context(caller))
        let conductor = conductor
        try caller.wait("the message to the control plane") { () async throws(PluginError) in
            do throws(MessagingError) {
                try await conductor.castPlugin(message, context: context)
            } catch {
                throw PluginError(peer: error)
            }
        }
    }

    private func own(_ message: PeerMessage, _ caller: PluginCaller) throws(PluginError) -> PluginMessage {
        guard message.instanceID == nil || message.instanceID == instanceID else {
            throw PluginError(.permissionDenied, "a guest speaks for its own instance only; leave instance_id out")
        }
        return PluginMessage(
            instanceID: instanceID, pluginID: caller.pluginID, method: message.method, payload: message.payload)
    }

    private static func context(_ caller: PluginCaller) -> RequestContext {
        caller.context.requestID.isEmpty
            ? RequestContext(requestID: SystemRandomSource().requestID()) : caller.context
    }
}

/// Hands plugins' reports on to the agent, which keeps them for sending.
struct GuestReporter: PluginReporter {
    let take: @Sendable (PluginReport, RequestContext?) -> Void

    func report(_ report: PluginReport, from pluginID: String, context: RequestContext?) throws(PluginError) {
        take(report, context)
    }
}

extension PluginError {
    /// What became of a message to a peer: its own failure, or trouble on the way.
    init(peer error: MessagingError) {
        let outcome = PeerFault.outcome(error, peer: "the control plane")
        self.init(Code(text: outcome.code) ?? .unavailable, outcome.message)
    }
}
