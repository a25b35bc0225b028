// SPDX-License-Identifier: Apache-2.0

package import Model

/// Where the state store is and how it is reached.
package struct StateStoreConfiguration: Sendable, Hashable {
    /// `sqlite:///path`, or `mariadb://user@host[:port][,host2[:port]…]/database`; never with a password.
    package var url: String
    package var password: Secret?
    /// PEM file of the authorities that the server's certificate is checked against; nil: the system's.
    package var caFile: String?
    package var tls: StateStoreTLS
    /// Connections of this process to a database server: 1…256.
    package var poolSize: Int
    /// How long connecting and each statement may take.
    package var timeout: Duration

    package init(
        url: String, password: Secret? = nil, caFile: String? = nil, tls: StateStoreTLS = .preferred,
        poolSize: Int = 8, timeout: Duration = .seconds(10)
    ) {
        self.url = url
        self.password = password
        self.caFile = caFile
        self.tls = tls
        self.poolSize = poolSize
        self.timeout = timeout
    }

    /// One file on this host.
    ///
    /// - Parameter path: Absolute, or relative to the working directory.
    package static func file(_ path: String) -> StateStoreConfiguration {
        StateStoreConfiguration(url: "sqlite://" + path)
    }
}

/// Whether connections to a database server are encrypted.
package enum StateStoreTLS: String, Sendable, CaseIterable {
    case off
    /// When the server offers it; the certificate is not checked.
    case preferred
    /// Or there is no connection; the certificate is not checked.
    case required
    /// As `required`, and the certificate must be valid for the host's name or address.
    case verify
}
