// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
import Model

/// The broker: group `bus`.
struct BusSettings: Sendable {
    /// `rabbit://user@host:port[,host2:port]/vhost`, `rabbits://` with TLS; nil: the hub inside the control plane.
    var url: String?
    var password: Secret?
    var caFile: String?
    var certificateFile: String?
    var keyFile: String?
    var exchange = "trove"
    /// Seconds.
    var heartbeat = 60
    var isDurable = false
    var isAutoDelete = false
    var isQuorum = false
    var isTransientQuorum = false
    var isStreamFanout = false
    /// Address for guests where it differs from `url`.
    var guestURL: String?
    var managementURL: String?
    var managementUser: String?
    var managementPassword: Secret?
    /// Whether messages to and from guests are sealed with a key of each instance.
    var isSealed = true
    /// Passphrase over the keys of the instances.
    var rpcKey: Secret?

    static let keys: Set<String> = [
        "bus.url", "bus.password_file", "bus.ca_file", "bus.certificate_file", "bus.key_file", "bus.exchange",
        "bus.heartbeat", "bus.durable", "bus.auto_delete", "bus.quorum", "bus.transient_quorum", "bus.stream_fanout",
        "bus.guest_url", "bus.management_url", "bus.management_user", "bus.management_password_file",
        "bus.encryption", "bus.rpc_key_file",
    ]

    init() {}

    init(_ settings: SettingReader) throws {
        url = settings.text("bus.url")
        guestURL = settings.text("bus.guest_url")
        password = try settings.secret("bus.password")
        caFile = try settings.file("bus.ca_file")
        certificateFile = try settings.file("bus.certificate_file")
        keyFile = try settings.file("bus.key_file")
        exchange = settings.text("bus.exchange") ?? exchange
        try settings.integer("bus.heartbeat", &heartbeat, 0...3600)
        try settings.bool("bus.durable", &isDurable)
        try settings.bool("bus.auto_delete", &isAutoDelete)
        try settings.bool("bus.quorum", &isQuorum)
        try settings.bool("bus.transient_quorum", &isTransientQuorum)
        try settings.bool("bus.stream_fanout", &isStreamFanout)
        managementURL = settings.text("bus.management_url")
        managementUser = settings.text("bus.management_user")
        managementPassword = try settings.secret("bus.management_password")
        try settings.bool("bus.encryption", &isSealed)
        rpcKey = try settings.secret("bus.rpc_key")
        try check(settings)
    }

    /// What the control plane's own bus is opened with; nil: the hub.
    func broker() throws -> RabbitConfiguration? {
        guard let url, let password else { return nil }
        var broker = RabbitConfiguration(url: try RabbitURL(parsing: url), password: password)
        broker.caFile = caFile
        broker.certificateFile = certificateFile
        broker.keyFile = keyFile
        broker.exchange = exchange
        broker.heartbeatSeconds = heartbeat
        broker.isDurable = isDurable
        broker.isAutoDelete = isAutoDelete
        broker.isQuorum = isQuorum
        broker.isTransientQuorum = isTransientQuorum
        broker.isStreamFanout = isStreamFanout
        broker.guestExchange = RabbitConfiguration.guestExchange(of: exchange)
        broker.guestTopics = [ConductorVerb.topic]
        return broker
    }

    private func check(_ settings: SettingReader) throws {
        for (key, address) in [("bus.url", url), ("bus.guest_url", guestURL)] {
            guard let address else { continue }
            do { _ = try RabbitURL(parsing: address) } catch { throw settings.error(key, error.message) }
        }
        guard (certificateFile == nil) == (keyFile == nil) else {
            throw settings.error("bus.certificate_file", "and 'bus.key_file' go together")
        }
        guard url != nil else { return }
        guard password != nil else {
            throw settings.error("bus.url", "needs a password: set TROVE_BUS_PASSWORD or 'bus.password_file'")
        }
        guard managementURL == nil || (managementUser != nil && managementPassword != nil) else {
            throw settings.error(
                "bus.management_url",
                "needs 'bus.management_user' and 'bus.management_password_file' (or TROVE_BUS_MANAGEMENT_PASSWORD)")
        }
        if isSealed, rpcKey == nil {
            throw settings.error(
                "bus.encryption", "needs 'bus.rpc_key_file' (or TROVE_BUS_RPC_KEY), or must be false")
        }
    }
}
