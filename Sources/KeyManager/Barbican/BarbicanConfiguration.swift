// SPDX-License-Identifier: Apache-2.0

/// Which key manager certificates are read from.
package struct BarbicanConfiguration: Sendable {
    /// `https://host:port`, `https://host/key-manager`, with or without `/v1` behind it.
    package var endpoint: String
    /// The address in the references that clients give, where it differs from `endpoint`.
    package var publicEndpoint: String?
    /// Certificates to trust, PEM; nil: the system's.
    package var caFile: String?
    /// All exchanges for one container.
    package var timeout: Duration

    package init(
        endpoint: String, publicEndpoint: String? = nil, caFile: String? = nil, timeout: Duration = .seconds(10)
    ) {
        self.endpoint = endpoint
        self.publicEndpoint = publicEndpoint
        self.caFile = caFile
        self.timeout = timeout
    }

    /// Without a slash at its end and with `/v1`.
    static func versioned(_ address: String) -> String {
        var text = address[...]
        while text.hasSuffix("/") { text = text.dropLast() }
        return text.hasSuffix("/v1") ? String(text) : text + "/v1"
    }
}
