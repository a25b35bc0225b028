// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore

/// A project's limits; -1 is unlimited.
struct QuotaLimits: Sendable {
    /// What there are limits of, as the wire names it.
    static let resources = ["backups", "instances", "ram", "volumes"]

    var instances: Int
    var ram: Int
    var volumes: Int
    var backups: Int

    init(defaults: APIConfiguration.QuotaDefaults, stored: [String: Int]) {
        instances = stored["instances"] ?? defaults.instances
        ram = stored["ram"] ?? defaults.ram
        volumes = stored["volumes"] ?? defaults.volumes
        backups = stored["backups"] ?? defaults.backups
    }

    /// The limit of one of `resources`.
    subscript(_ resource: String) -> Int {
        switch resource {
        case "backups": backups
        case "instances": instances
        case "ram": ram
        case "volumes": volumes
        default: -1
        }
    }

    /// Throws 413 when what `usage` holds and `wanted` adds pass a limit. Source: REST contract §3.3.
    func admit(_ wanted: QuotaUsage, on usage: QuotaUsage) throws(APIFault) {
        let exceeded = Self.resources.filter { resource in
            self[resource] >= 0 && wanted[resource] > 0 && usage[resource] + wanted[resource] > self[resource]
        }
        guard exceeded.isEmpty else {
            let names = exceeded.map { "'\($0)'" }.joined(separator: ", ")
            throw APIFault(.quotaExceeded, "Quota exceeded for resources: [\(names)].")
        }
    }
}

extension QuotaLimits {
    /// Checks inside the transaction that inserts what `wanted` counts, so that requests cannot pass a limit together.
    static func admit(
        _ wanted: QuotaUsage, projectID: String, configuration: APIConfiguration, _ transaction: any StateTransaction
    ) throws {
        try transaction.quotas.beginAdmission(projectID: projectID)
        let stored = try transaction.quotas.limits(projectID: projectID)
        let usage = try transaction.quotas.usage(projectID: projectID, flavorRAM: configuration.flavorRAM)
        try QuotaLimits(defaults: configuration.quotas, stored: stored).admit(wanted, on: usage)
    }
}

extension QuotaUsage {
    /// How much of one of `QuotaLimits.resources` there is.
    subscript(_ resource: String) -> Int {
        switch resource {
        case "backups": backups
        case "instances": instances
        case "ram": ramMiB
        case "volumes": volumesGiB
        default: 0
        }
    }
}
