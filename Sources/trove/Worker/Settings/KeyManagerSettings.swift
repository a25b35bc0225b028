// SPDX-License-Identifier: Apache-2.0

import KeyManager

/// Where certificates of instances come from: group `key_manager`.
struct KeyManagerSettings: Sendable {
    /// `https://host:port`; nil: the key manager inside the control plane.
    var endpoint: String?
    /// The address in the references that clients give, where it differs from `endpoint`.
    var publicEndpoint: String?
    var caFile: String?
    /// Seconds that reading a certificate with its key may take.
    var timeout = 10
    /// Secrets, and containers, of a project inside the control plane; -1: any number.
    var projectLimit = 1000

    static let keys: Set<String> = [
        "key_manager.endpoint", "key_manager.public_endpoint", "key_manager.ca_file", "key_manager.timeout",
        "key_manager.project_limit",
    ]

    init() {}

    init(_ settings: SettingReader) throws {
        endpoint = try settings.webAddress("key_manager.endpoint")
        publicEndpoint = try settings.webAddress("key_manager.public_endpoint")
        caFile = try settings.file("key_manager.ca_file")
        try settings.integer("key_manager.timeout", &timeout, 1...300)
        try settings.integer("key_manager.project_limit", &projectLimit, -1...1_000_000)
        guard endpoint != nil || (publicEndpoint == nil && caFile == nil) else {
            throw settings.error("key_manager.endpoint", "is needed with the other settings of a key manager elsewhere")
        }
    }

    /// How certificates are read from elsewhere; nil: they are inside the control plane.
    var barbican: BarbicanConfiguration? {
        endpoint.map {
            BarbicanConfiguration(
                endpoint: $0, publicEndpoint: publicEndpoint, caFile: caFile, timeout: .seconds(timeout))
        }
    }

    /// Whether the control plane has a key manager of its own: elsewhere is none, and all of its processes have the key.
    func isBuiltIn(_ bus: BusSettings) -> Bool { endpoint == nil && (bus.url == nil || bus.rpcKey != nil) }

    /// What the built-in identity's catalogue has of it.
    func catalogued(_ bus: BusSettings) -> String? {
        publicEndpoint ?? endpoint ?? (isBuiltIn(bus) ? StoredCertificates.path : nil)
    }
}
