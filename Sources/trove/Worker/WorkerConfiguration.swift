// SPDX-License-Identifier: Apache-2.0

import API
import Configuration
import Model
import SystemPackage
import Yams

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

    /// Every key, in dotted form.
    static let keys: Set<String> = [
        "region", "api.public_endpoint", "api.max_accepted_volume_size", "api.instances_page_size",
        "api.max_body_bytes", "api.constant_route", "default_datastore", "api.rate_limit_per_minute",
        "quotas.instances", "quotas.volumes", "quotas.backups",
        "quotas.ram", "guest.report_interval", "guest.agent_heartbeat_expiry", "guest.usage_timeout",
        "guest.restore_usage_timeout", "guest.backup_timeout", "compute.address_range", "compute.uid_range",
        "compute.volume_overcommit", "compute.unprivileged", "taskmanager.concurrency", "taskmanager.lease",
    ]

    /// Reads `path`, overridden by environment variables `TROVE_…`.
    ///
    /// - Throws: `StartError` naming file, line or key, and reason.
    static func read(_ path: String) async throws -> WorkerConfiguration {
        try checkKeys(path)
        let file: FileProvider<YAMLSnapshot>
        do {
            file = try await FileProvider<YAMLSnapshot>(filePath: FilePath(path))
        } catch {
            throw StartError("\(path): \(error)")
        }
        let reader = ConfigReader(providers: [EnvironmentVariablesProvider().prefixKeys(with: "trove"), file])
        return try WorkerConfiguration(reader: reader, path: path)
    }

    private static func checkKeys(_ path: String) throws {
        let document = try YAMLDocument(path: path)
        for (name, node) in try leaves(document, document.root, prefix: "") where !keys.contains(name) {
            throw document.error(node, "'\(name)' is not a key; Config/trove.yaml lists them")
        }
    }

    private static func leaves(_ document: YAMLDocument, _ node: Node, prefix: String) throws -> [(String, Node)] {
        guard let mapping = node.mapping else { return [(prefix, node)] }
        return try mapping.flatMap { key, value in
            try leaves(document, value, prefix: prefix.isEmpty ? key.string ?? "?" : "\(prefix).\(key.string ?? "?")")
        }
    }
}

extension WorkerConfiguration {
    private init(reader: ConfigReader, path: String) throws {
        self.init()
        func integer(_ key: String, _ value: inout Int, _ range: ClosedRange<Int>) throws {
            guard
                let text = reader.string(forKey: ConfigKey(key)) ?? reader.int(forKey: ConfigKey(key)).map(String.init)
            else { return }
            guard let number = Int(text), range.contains(number) else {
                throw StartError(
                    "\(path): '\(key)' must be a whole number from \(range.lowerBound) to \(range.upperBound)"
                )
            }
            value = number
        }
        region = reader.string(forKey: "region", default: region)
        let datastore = reader.string(forKey: "default_datastore", default: "")
        defaultDatastore = datastore.isEmpty ? nil : datastore
        hasConstantRoute = reader.bool(forKey: "api.constant_route", default: hasConstantRoute)
        let endpoint = reader.string(forKey: "api.public_endpoint", default: "")
        publicEndpoint = endpoint.isEmpty ? nil : endpoint
        try integer("api.max_accepted_volume_size", &maximumVolumeGiB, 1...65_536)
        try integer("api.instances_page_size", &pageSize, 1...1000)
        try integer("api.max_body_bytes", &maximumBodyBytes, 1024...(64 << 20))
        var perMinute = 0
        try integer("api.rate_limit_per_minute", &perMinute, 0...1_000_000)
        if perMinute > 0 {
            rateLimits = Dictionary(uniqueKeysWithValues: ["GET", "POST", "PUT", "DELETE"].map { ($0, perMinute) })
        }
        try integer("quotas.instances", &quotas.instances, -1...10_000_000)
        try integer("quotas.volumes", &quotas.volumes, -1...10_000_000)
        try integer("quotas.backups", &quotas.backups, -1...10_000_000)
        try integer("quotas.ram", &quotas.ram, -1...1_000_000_000)
        try integer("guest.report_interval", &reportInterval, 1...3600)
        try integer("guest.agent_heartbeat_expiry", &heartbeatExpiry, 2...86_400)
        try integer("guest.usage_timeout", &usageTimeout, 5...86_400)
        try integer("guest.restore_usage_timeout", &restoreUsageTimeout, 5...604_800)
        try integer("guest.backup_timeout", &backupTimeout, 5...604_800)
        try integer("taskmanager.concurrency", &concurrency, 1...256)
        try integer("taskmanager.lease", &lease, 3...3600)
        addressRange = reader.string(forKey: "compute.address_range", default: addressRange)
        volumeOvercommit = reader.double(forKey: "compute.volume_overcommit", default: volumeOvercommit)
        isUnprivileged = reader.bool(forKey: "compute.unprivileged", default: isUnprivileged)
        if let text = reader.string(forKey: "compute.uid_range") {
            let ends = text.split(separator: "-").compactMap { UInt32($0) }
            guard ends.count == 2, ends[0] > 0, ends[0] <= ends[1] else {
                throw StartError("\(path): 'compute.uid_range' must be two numbers such as 64000-64999")
            }
            uidRange = ends[0]..<(ends[1] + 1)
        }
    }
}
