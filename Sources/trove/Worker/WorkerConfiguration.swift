// SPDX-License-Identifier: Apache-2.0

import API
import Compute
import Model

/// What an operator can set, with the defaults of the embedded shape (`Config/trove.yaml` has every key).
struct WorkerConfiguration: Sendable {
    var region = "RegionOne"
    var publicEndpoint: String?
    var maximumVolumeGiB = 100
    var pageSize = 20
    var maximumBodyBytes = 1 << 20
    var hasConstantRoute = false
    /// Datastore of a create that names none; nil: such a create is refused.
    var defaultDatastore: String?
    /// Requests a minute and project, by verb; nil: no limit.
    var rateLimits: [String: Int]?
    var quotas = APIConfiguration.QuotaDefaults(instances: 200, volumes: 2000, backups: 500, ram: -1)
    var reportInterval = 30
    var heartbeatExpiry = 90
    var usageTimeout = 1800
    var restoreUsageTimeout = 3600
    var backupTimeout = 86_400
    var addressRange = "127.20.0.0/16"
    var uidRange: Range<UInt32> = 64_000..<65_000
    var volumeOvercommit = 4.0
    var isUnprivileged = false
    var concurrency = 16
    var lease = 30
    /// Where scrapers find the metrics; nil: nowhere.
    var metricsListen: String?

    /// Every key, in dotted form.
    static let keys: Set<String> = [
        "region", "api.public_endpoint", "api.max_accepted_volume_size", "api.instances_page_size",
        "api.max_body_bytes", "api.constant_route", "default_datastore", "api.rate_limit_per_minute",
        "quotas.instances", "quotas.volumes", "quotas.backups",
        "quotas.ram", "guest.report_interval", "guest.agent_heartbeat_expiry", "guest.usage_timeout",
        "guest.restore_usage_timeout", "guest.backup_timeout", "compute.address_range", "compute.uid_range",
        "compute.volume_overcommit", "compute.unprivileged", "taskmanager.concurrency", "taskmanager.lease",
        "metrics.listen",
    ]

    /// Reads `path`, overridden by environment variables `TROVE_…`.
    ///
    /// - Throws: `StartError` naming file, line or key, and reason.
    static func read(_ path: String) async throws -> WorkerConfiguration {
        try WorkerConfiguration(await SettingReader(path, keys: keys))
    }
}

extension WorkerConfiguration {
    private init(_ settings: SettingReader) throws {
        self.init()
        region = settings.text("region") ?? region
        defaultDatastore = settings.text("default_datastore")
        try settings.bool("api.constant_route", &hasConstantRoute)
        publicEndpoint = settings.text("api.public_endpoint")
        try settings.integer("api.max_accepted_volume_size", &maximumVolumeGiB, 1...65_536)
        try settings.integer("api.instances_page_size", &pageSize, 1...1000)
        try settings.integer("api.max_body_bytes", &maximumBodyBytes, 1024...(64 << 20))
        var perMinute = 0
        try settings.integer("api.rate_limit_per_minute", &perMinute, 0...1_000_000)
        if perMinute > 0 {
            rateLimits = Dictionary(uniqueKeysWithValues: ["GET", "POST", "PUT", "DELETE"].map { ($0, perMinute) })
        }
        try settings.integer("quotas.instances", &quotas.instances, -1...10_000_000)
        try settings.integer("quotas.volumes", &quotas.volumes, -1...10_000_000)
        try settings.integer("quotas.backups", &quotas.backups, -1...10_000_000)
        try settings.integer("quotas.ram", &quotas.ram, -1...1_000_000_000)
        try settings.integer("guest.report_interval", &reportInterval, 1...3600)
        try settings.integer("guest.agent_heartbeat_expiry", &heartbeatExpiry, 2...86_400)
        try settings.integer("guest.usage_timeout", &usageTimeout, 5...86_400)
        try settings.integer("guest.restore_usage_timeout", &restoreUsageTimeout, 5...604_800)
        try settings.integer("guest.backup_timeout", &backupTimeout, 5...604_800)
        try settings.integer("taskmanager.concurrency", &concurrency, 1...256)
        try settings.integer("taskmanager.lease", &lease, 3...3600)
        metricsListen = settings.text("metrics.listen")
        if let metricsListen {
            do { _ = try ListenAddress(metricsListen) } catch {
                throw settings.error("metrics.listen", "must be empty or an address such as 127.0.0.1:9464")
            }
        }
        addressRange = settings.text("compute.address_range") ?? addressRange
        guard LocalComputeConfiguration.isAddressRange(addressRange) else {
            throw settings.error(
                "compute.address_range",
                "must be a network within 127.0.0.0/8 such as 127.20.0.0/16, not '\(addressRange)'"
            )
        }
        try settings.number("compute.volume_overcommit", &volumeOvercommit, 0.1...1000)
        try settings.bool("compute.unprivileged", &isUnprivileged)
        if let text = settings.text("compute.uid_range") {
            let ends = text.split(separator: "-").compactMap { UInt32($0) }
            guard ends.count == 2, ends[0] > 0, ends[0] <= ends[1], ends[1] < UInt32.max else {
                throw settings.error("compute.uid_range", "must be two numbers such as 64000-64999")
            }
            uidRange = ends[0]..<(ends[1] + 1)
        }
    }
}
