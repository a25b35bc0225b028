// SPDX-License-Identifier: Apache-2.0

import Notifications

/// What is told about operations and use, and to whom: group `notifications`.
struct NotificationSettings: Sendable {
    var driver = NotificationConfiguration.Driver.off
    var topics = ["notifications"]
    /// Seconds between reports of instances that exist; 0: none.
    var existsInterval = 3600
    /// Seconds between reports of quotas; 0: none.
    var quotaInterval = 3600
    /// Service ids by datastore name, for the usage records.
    var serviceIDs: [String: String] = [:]
    /// In usage records; nil: the control plane's.
    var region: String?

    static let keys: Set<String> = [
        "notifications.driver", "notifications.topics", "notifications.exists_interval",
        "notifications.quota_interval", "notifications.service_ids", "notifications.region",
    ]

    init() {}

    init(_ settings: SettingReader) throws {
        if let text = settings.text("notifications.driver") {
            guard let known = NotificationConfiguration.Driver(rawValue: text == "false" ? "off" : text) else {
                throw settings.error("notifications.driver", "must be off, log or messaging")
            }
            driver = known
        }
        topics = settings.list("notifications.topics") ?? topics
        try settings.integer("notifications.exists_interval", &existsInterval, 0...604_800)
        try settings.integer("notifications.quota_interval", &quotaInterval, 0...604_800)
        region = settings.text("notifications.region")
        for entry in settings.list("notifications.service_ids") ?? [] {
            let parts = entry.split(separator: ":", maxSplits: 1).map { $0.trimmingSpaces }
            guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
                throw settings.error(
                    "notifications.service_ids", "must be pairs such as name:id, apart by commas, not '\(entry)'")
            }
            serviceIDs[parts[0]] = parts[1]
        }
    }

    /// - Parameters:
    ///   - host: In whose name notifications are told.
    ///   - quotas: What a project has unless it has limits of its own.
    func notifications(host: String, region: String, quotas: [String: Int]) -> NotificationConfiguration {
        func interval(_ seconds: Int) -> Duration? { seconds == 0 ? nil : .seconds(seconds) }
        return NotificationConfiguration(
            driver: driver, topics: topics, region: self.region ?? region, host: host, serviceIDs: serviceIDs,
            existsInterval: interval(existsInterval), quotaInterval: interval(quotaInterval), quotaDefaults: quotas)
    }
}
