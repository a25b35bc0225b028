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
    var maximumConnections = 4096
    /// Seconds, as the two below.
    var idleTimeout = 60
    var headTimeout = 10
    var bodyTimeout = 30
    var hasConstantRoute = false
    /// Types that modules may have.
    var moduleTypes = ["ping", "file"]
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
    /// Seconds that events are kept.
    var eventRetention = 604_800
    /// Streams of events a project and process.
    var eventStreams = 10
    /// Where scrapers find the metrics; nil: nowhere.
    var metricsListen: String?
    /// API processes behind one listening socket.
    var apiWorkers = 1
    var tlsCertificate: String?
    var tlsKey: String?
    /// Name of this task manager among its like; nil: the host's.
    var taskManagerName: String?
    /// Name of this host in placements; nil: what the system says.
    var computeHost: String?
    var state = StateSettings()
    var bus = BusSettings()
    var identity = IdentitySettings()
    var notifications = NotificationSettings()
    var keyManager = KeyManagerSettings()

    /// Every key, in dotted form.
    static let keys = general.union(StateSettings.keys).union(BusSettings.keys).union(IdentitySettings.keys)
        .union(NotificationSettings.keys).union(KeyManagerSettings.keys)

    private static let general: Set<String> = [
        "region", "api.public_endpoint", "api.max_accepted_volume_size", "api.instances_page_size",
        "api.max_body_bytes", "api.max_connections", "api.idle_timeout", "api.head_timeout", "api.body_timeout",
        "api.constant_route", "default_datastore", "modules.types", "api.rate_limit_per_minute",
        "quotas.instances", "quotas.volumes", "quotas.backups",
        "quotas.ram", "guest.report_interval", "guest.agent_heartbeat_expiry", "guest.usage_timeout",
        "guest.restore_usage_timeout", "guest.backup_timeout", "compute.address_range", "compute.uid_range",
        "compute.volume_overcommit", "compute.unprivileged", "taskmanager.concurrency", "taskmanager.lease",
        "taskmanager.name", "compute.host", "metrics.listen", "api.workers", "api.tls_certificate", "api.tls_key",
        "events.retention", "events.streams_per_project",
    ]

    /// Reads `path`, overridden by environment variables `TROVE_…`.
    ///
    /// - Throws: `StartError` naming file, line or key, and reason.
    static func read(_ path: String) async throws -> WorkerConfiguration {
        try WorkerConfiguration(await SettingReader(path, keys: keys))
    }

    /// Reads the home's `trove.yaml`, or the sample without one.
    static func read(_ home: Home, _ installation: Installation) async throws -> WorkerConfiguration {
        let own = home.configuration + "/trove.yaml"
        return try await read(Files.exists(own) ? own : installation.configuration + "/trove.yaml")
    }

    /// This host's name in placements and on the bus.
    var hostName: String { computeHost ?? LocalComputeConfiguration.hostName }

    /// What the API's listener is encrypted with.
    var tls: APITLS? {
        guard let tlsCertificate, let tlsKey else { return nil }
        return APITLS(certificateFile: tlsCertificate, keyFile: tlsKey)
    }

    /// What a project may have unless it has limits of its own, by resource.
    var quotaLimits: [String: Int] {
        ["instances": quotas.instances, "volumes": quotas.volumes, "backups": quotas.backups, "ram": quotas.ram]
    }

    /// Refuses what processes with some of the roles cannot work with.
    func check(_ roles: Set<Role>) throws {
        if roles.contains(.taskmanager), bus.url != nil, bus.managementURL == nil {
            throw StartError(
                "'bus.url' in trove.yaml (or TROVE_BUS_URL) needs 'bus.management_url' where instances are made: each guest gets "
                    + "an account of its own at the broker")
        }
        guard roles != Role.all else { return }
        for (key, value) in [("bus.url", bus.url), ("state.url", state.url)] where value == nil {
            throw StartError(
                "--role needs '\(key)' in trove.yaml (or \(SettingReader.variable(key))): processes with some of the roles "
                    + "meet there")
        }
        guard roles.contains(.api), identity.url == nil else { return }
        throw StartError(
            "--role api needs 'identity.url' in trove.yaml (or TROVE_IDENTITY_URL): the built-in identity service is for one "
                + "process")
    }
}

extension WorkerConfiguration {
    private init(_ settings: SettingReader) throws {
        self.init()
        region = settings.text("region") ?? region
        defaultDatastore = settings.text("default_datastore")
        moduleTypes = settings.list("modules.types") ?? moduleTypes
        try settings.bool("api.constant_route", &hasConstantRoute)
        publicEndpoint = settings.text("api.public_endpoint")
        try settings.integer("api.max_accepted_volume_size", &maximumVolumeGiB, 1...65_536)
        try settings.integer("api.instances_page_size", &pageSize, 1...1000)
        try settings.integer("api.max_body_bytes", &maximumBodyBytes, 1024...(64 << 20))
        try settings.integer("api.max_connections", &maximumConnections, 16...1_000_000)
        try settings.integer("api.idle_timeout", &idleTimeout, 1...86_400)
        try settings.integer("api.head_timeout", &headTimeout, 1...3600)
        try settings.integer("api.body_timeout", &bodyTimeout, 1...3600)
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
        try settings.integer("events.retention", &eventRetention, 60...315_360_000)
        try settings.integer("events.streams_per_project", &eventStreams, 0...10_000)
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
        computeHost = settings.text("compute.host")
        taskManagerName = settings.text("taskmanager.name")
        try settings.integer("api.workers", &apiWorkers, 1...64)
        tlsCertificate = try settings.file("api.tls_certificate")
        tlsKey = try settings.file("api.tls_key")
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw settings.error("api.tls_certificate", "and 'api.tls_key' go together")
        }
        state = try StateSettings(settings)
        bus = try BusSettings(settings)
        identity = try IdentitySettings(settings)
        notifications = try NotificationSettings(settings)
        keyManager = try KeyManagerSettings(settings)
    }
}
