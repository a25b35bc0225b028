// SPDX-License-Identifier: Apache-2.0

package import Model

/// What the REST API is told at start-up.
package struct APIConfiguration: Sendable {
    /// Limits of a project that has none of its own; -1 is unlimited.
    package struct QuotaDefaults: Sendable, Hashable {
        package var instances: Int
        /// GiB in total.
        package var volumes: Int
        package var backups: Int
        /// MiB in total.
        package var ram: Int

        package init(instances: Int = 10, volumes: Int = 40, backups: Int = 50, ram: Int = -1) {
            self.instances = instances
            self.volumes = volumes
            self.backups = backups
            self.ram = ram
        }
    }

    /// Scheme, host and port that clients use, without a trailing slash; nil: what the request names.
    package var publicEndpoint: String?
    package var region: String
    /// What the operator's file has now.
    package var flavors: [Flavor] { flavorSource() }
    private let flavorSource: @Sendable () -> [Flavor]
    /// Id or name of the datastore used when a request names none.
    package var defaultDatastore: String?
    package var quotas: QuotaDefaults
    package var maximumVolumeGiB: Int
    /// Default and largest page of id-paged collections.
    package var pageSize: Int
    /// Requests a minute and project, by verb; nil: no limit at all.
    package var rateLimits: [String: Int]?
    /// Age from which a silent guest counts as failed.
    package var heartbeatExpiry: Duration
    package var maximumBodyBytes: Int
    package var hasVolumeSupport: Bool
    /// How the listening socket is named in logs, e.g. `127.0.0.1:8779`.
    package var listenDescription: String
    /// How long a connection may be silent between requests, or take for a request's head.
    package var idleTimeout: Duration
    /// How long a request's body may take.
    package var bodyTimeout: Duration
    /// Connections beyond this wait in the socket's backlog.
    package var maximumConnections: Int
    /// How long requests may go on after a graceful stop began.
    package var stopTimeout: Duration
    /// Limit of one call into a plugin's route; longer than the longest verb of a guest.
    package var pluginRouteTimeout: Duration
    /// Limit of one question to a datastore's policy.
    package var policyTimeout: Duration
    /// How long a request waits for a message bus that is away.
    package var busPatience: Duration
    /// Whether `/x/constant` answers, for measuring.
    package var hasConstantRoute: Bool

    package init(
        publicEndpoint: String? = nil,
        region: String = "RegionOne",
        flavors: @autoclosure @Sendable @escaping () -> [Flavor],
        defaultDatastore: String? = nil,
        quotas: QuotaDefaults = QuotaDefaults(),
        maximumVolumeGiB: Int = 10,
        pageSize: Int = 20,
        rateLimits: [String: Int]? = nil,
        heartbeatExpiry: Duration = .seconds(90),
        maximumBodyBytes: Int = 1 << 20,
        hasVolumeSupport: Bool = true,
        listenDescription: String = "",
        idleTimeout: Duration = .seconds(60),
        bodyTimeout: Duration = .seconds(30),
        maximumConnections: Int = 1024,
        stopTimeout: Duration = .seconds(20),
        pluginRouteTimeout: Duration = .seconds(200),
        policyTimeout: Duration = .seconds(10),
        busPatience: Duration = .seconds(5),
        hasConstantRoute: Bool = false
    ) {
        self.publicEndpoint = publicEndpoint
        self.region = region
        flavorSource = flavors
        self.defaultDatastore = defaultDatastore
        self.quotas = quotas
        self.maximumVolumeGiB = maximumVolumeGiB
        self.pageSize = pageSize
        self.rateLimits = rateLimits
        self.heartbeatExpiry = heartbeatExpiry
        self.maximumBodyBytes = maximumBodyBytes
        self.hasVolumeSupport = hasVolumeSupport
        self.listenDescription = listenDescription
        self.idleTimeout = idleTimeout
        self.bodyTimeout = bodyTimeout
        self.maximumConnections = maximumConnections
        self.stopTimeout = stopTimeout
        self.pluginRouteTimeout = pluginRouteTimeout
        self.policyTimeout = policyTimeout
        self.busPatience = busPatience
        self.hasConstantRoute = hasConstantRoute
    }

    /// MiB by flavor id, as quota usage needs it.
    var flavorRAM: [String: Int] {
        Dictionary(flavors.map { ($0.id, $0.ramMiB) }, uniquingKeysWith: { first, _ in first })
    }
}
