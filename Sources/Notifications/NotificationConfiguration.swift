// SPDX-License-Identifier: Apache-2.0

/// What is told about operations and use, how, and under which names.
package struct NotificationConfiguration: Sendable {
    package enum Driver: String, Sendable {
        /// Nothing is made, kept or sent.
        case off
        /// One log line each.
        case log
        /// On the bus, for listeners of any kind.
        case messaging
    }

    package var driver: Driver
    /// Each notification goes to `<topic>.info` of each.
    package var topics: [String]
    /// How usage events name this region; not the region of the service catalogue.
    package var region: String
    /// The emitter, as it stands in `publisher_id`.
    package var host: String
    /// Service ids in usage events, by datastore name.
    package var serviceIDs: [String: String]
    /// How often instances that exist are told about; nil: never.
    package var existsInterval: Duration?
    /// How often quotas are told about; nil: never.
    package var quotaInterval: Duration?
    /// Limits of a project that has none of its own, by resource: `instances`, `volumes`, `backups`, `ram`.
    package var quotaDefaults: [String: Int]
    /// Notifications without a place in the state store that wait in this process for the bus; what comes on top is lost.
    package var bufferLimit: Int
    /// Notifications that wait in the state store for the bus; of more, the oldest are lost.
    package var outboxLimit: Int

    package init(
        driver: Driver = .off,
        topics: [String] = ["notifications"],
        region: String = "LOCAL_DEV",
        host: String = "",
        serviceIDs: [String: String] = [:],
        existsInterval: Duration? = nil,
        quotaInterval: Duration? = nil,
        quotaDefaults: [String: Int] = [:],
        bufferLimit: Int = 1000,
        outboxLimit: Int = 100_000
    ) {
        self.driver = driver
        self.topics = topics
        self.region = region
        self.host = host
        self.serviceIDs = serviceIDs
        self.existsInterval = existsInterval
        self.quotaInterval = quotaInterval
        self.quotaDefaults = quotaDefaults
        self.bufferLimit = bufferLimit
        self.outboxLimit = outboxLimit
    }

    /// The service id of a datastore; listeners of the field know the text for one without.
    func serviceID(datastore: String) -> String { serviceIDs[datastore] ?? "unknown-service-id-error" }
}
