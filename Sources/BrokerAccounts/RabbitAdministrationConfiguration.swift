// SPDX-License-Identifier: Apache-2.0

package import Model

/// Where a RabbitMQ broker's management API is, and what guests may reach there.
package struct RabbitAdministrationConfiguration: Sendable {
    /// `http://host:port` or `https://host:port`, without `/api`.
    package var url: String
    /// An account with the tag `administrator`.
    package var user: String
    package var password: Secret
    /// PEM file of trusted authorities; nil: the system's.
    package var caFile: String?
    package var virtualHost: String
    /// The control exchange.
    package var exchange: String
    /// The exchange that guests write to.
    package var guestExchange: String
    /// How long one request may take.
    package var timeout = Duration.seconds(10)

    package init(
        url: String, user: String, password: Secret, caFile: String? = nil, virtualHost: String, exchange: String,
        guestExchange: String
    ) {
        self.url = url
        self.user = user
        self.password = password
        self.caFile = caFile
        self.virtualHost = virtualHost
        self.exchange = exchange
        self.guestExchange = guestExchange
    }
}
