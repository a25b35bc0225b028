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
    /// What the listener is encrypted with; nil: nothing.
    package var tls: APITLS?
    /// How often the files of `tls` are looked at.
    package var certificateCheckInterval: Duration
    /// While this file exists, `/healthcheck` answers 503; nil: no such file.
    package var healthDisablingFile: String?
    package var region: String
    /// Types that modules may have.
    package var moduleTypes: [String]
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
    /// How long a connection may be silent between requests.
    package var idleTimeout: Duration
    /// How long a request's head may take from its first byte on.
    package var headTimeout: Duration
    /// How long a request's body may take, and a client for the next part of its answer.
    package var bodyTimeout: Duration
    /// Beyond this, idle connections are ended for new ones; when none is idle, new ones wait in the socket's backlog.
    package var maximumConnections: Int
    /// How long requests may go on after a graceful stop began.
    package var stopTimeout: Duration
    /// Limit of one call into a plugin's route; longer than the longest verb of a guest.
    package var pluginRouteTimeout: Duration
    /// Limit of one question to a datastore's policy.
    package var policyTimeout: Duration
    /// How long a request waits for a message bus that is away.
    package var busPatience: Duration
    /// Seals kept answers together with the client's own key; nil: that alone. The same in every API process.
    package var answerPassphrase: Secret?
    /// How long a request that answers with an operation's end waits for it.
    package var operationPatience: Duration
    /// Streams of events that a project may have at a time, a process.
    package var eventStreams: Int
    /// Whether `/x/constant` answers, for measuring.
    package var hasConstantRoute: Bool
    /// What this process's host has; nil where it makes no instances, or cannot be told now.
    package var hostFacts: @Sendable () async -> HostFacts?

    package init(
        publicEndpoint: String? = nil,
        tls: APITLS? = nil,
        certificateCheckInterval: Duration = .seconds(3),
        healthDisablingFile: String? = nil,
        region: String = "RegionOne",
        moduleTypes: [String] = ["ping", "file"],
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
        headTimeout: Duration = .seconds(10),
        bodyTimeout: Duration = .seconds(30),
        maximumConnections: Int = 4096,
        stopTimeout: Duration = .seconds(30),
        pluginRouteTimeout: Duration = .seconds(200),
        policyTimeout: Duration = .seconds(10),
        busPatience: Duration = .seconds(5),
        answerPassphrase: Secret? = nil,
        operationPatience: Duration = .seconds(120),
        eventStreams: Int = 10,
        hasConstantRoute: Bool = false,
        hostFacts: @Sendable @escaping () async -> HostFacts? = { nil }
    ) {
        self.publicEndpoint = publicEndpoint
        self.tls = tls
        self.certificateCheckInterval = certificateCheckInterval
        self.healthDisablingFile = healthDisablingFile
        self.region = region
        self.moduleTypes = moduleTypes
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
        self.headTimeout = headTimeout
        self.bodyTimeout = bodyTimeout
        self.maximumConnections = maximumConnections
        self.stopTimeout = stopTimeout
        self.pluginRouteTimeout = pluginRouteTimeout
        self.policyTimeout = policyTimeout
        self.busPatience = busPatience
        self.answerPassphrase = answerPassphrase
        self.operationPatience = operationPatience
        self.eventStreams = eventStreams
        self.hasConstantRoute = hasConstantRoute
        self.hostFacts = hostFacts
    }

    /// Scheme, host and port of a request, as its client sees them.
    func baseURL(host: String) -> String {
        publicEndpoint ?? (tls == nil ? "http://" : "https://") + host
    }

    /// MiB by flavor id, as quota usage needs it.
    var flavorRAM: [String: Int] {
        Dictionary(flavors.map { ($0.id, $0.ramMiB) }, uniquingKeysWith: { first, _ in first })
    }
}
