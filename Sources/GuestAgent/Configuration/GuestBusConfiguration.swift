// SPDX-License-Identifier: Apache-2.0

import Calls
package import Logging
package import Messaging
import Model

/// How an agent reaches the control plane.
package enum GuestBusConfiguration: Sendable {
    /// The hub of a control plane on the same host.
    case hub(socket: String)
    /// A message broker, with an account and a key of this instance's own; without the key messages are plain.
    case broker(RabbitConfiguration, key: RPCKey?)

    /// Reads the member `bus` of the agent's configuration.
    ///
    /// Shape: `{"socket"}`, or `{"url", "user", "password", "ca_file"?, "rpc_key"?, "exchange"?: "trove", "heartbeat_s"?: 60, "durable"?,
    /// "auto_delete"?, "quorum"?, "transient_quorum"?, "stream_fanout"?}`, where the last five are false when they are missing
    /// and must be what the control plane has.
    ///
    /// - Throws: `.configuration`.
    init(_ members: ConfigurationMembers, instanceID: String) throws(GuestAgentError) {
        guard members.has("url") else {
            self = .hub(socket: try members.path("socket"))
            return
        }
        var broker: RabbitConfiguration
        var key: RPCKey?
        do {
            var url = try RabbitURL(parsing: try members.text("url"))
            url.user = try members.text("user")
            broker = RabbitConfiguration(url: url, password: Secret(try members.text("password")))
            if members.has("rpc_key") { key = try RPCKey(Secret(try members.text("rpc_key"))) }
        } catch let error as MessagingError {
            throw GuestAgentError(.configuration, "bus.url: \(error.message)")
        } catch let error as GuestAgentError {
            throw error
        } catch {
            throw GuestAgentError(.configuration, "bus: cannot be read")
        }
        if members.has("ca_file") { broker.caFile = try members.path("ca_file") }
        broker.exchange = try members.text("exchange", default: broker.exchange)
        broker.heartbeatSeconds = try members.integer("heartbeat_s", in: 0...3600, default: broker.heartbeatSeconds)
        broker.isDurable = try members.boolean("durable", default: false)
        broker.isAutoDelete = try members.boolean("auto_delete", default: false)
        broker.isQuorum = try members.boolean("quorum", default: false)
        broker.isTransientQuorum = try members.boolean("transient_quorum", default: false)
        broker.isStreamFanout = try members.boolean("stream_fanout", default: false)
        broker.isRestricted = true
        broker.guestExchange = RabbitConfiguration.guestExchange(of: broker.exchange)
        broker.replyPrefix = GuestTopic.name(instanceID) + "_"
        self = .broker(broker, key: key)
    }

    /// Begins to connect.
    package func open(instanceID: String, logger: Logger) -> any MessageBus {
        switch self {
        case .hub(let socket): return LocalHubBus(path: socket, name: "guest \(instanceID)", logger: logger)
        case .broker(let broker, let key):
            let keyring = key.map {
                StaticKeyring(
                    instanceID: instanceID, key: $0, topic: GuestTopic.name(instanceID),
                    labelledTopic: ConductorVerb.topic)
            }
            // One instance is asked for little at once, and its agent is to stay small.
            let options = RabbitBus.Options(concurrency: 16, prefetch: 16)
            return RabbitBus(
                broker, name: "guest \(instanceID)", logger: logger, options: options, keyring: keyring)
        }
    }
}
