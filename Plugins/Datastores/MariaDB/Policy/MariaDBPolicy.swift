// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What is asked of MariaDB before anything exists.
enum MariaDBPolicy: DatastorePolicy {
    static let minimumMemoryMiB = 256

    static func requirements(version: String) throws -> Requirements {
        Requirements(
            ports: [3306], isVolumeRequired: true, minimumVolumeGiB: 1, minimumMemoryMiB: minimumMemoryMiB,
            hasTemplate: true, programs: [Programs.server, Programs.installer])
    }

    static func validateCreate(_ request: CreateRequest) throws {
        guard request.size.memoryMiB >= minimumMemoryMiB else {
            throw PluginFailure(.invalidArgument, "The flavor must have \(minimumMemoryMiB) MiB of memory or more.")
        }
        guard request.size.volumeGiB >= 1 else {
            throw PluginFailure(.invalidArgument, "The volume must have a size of 1 GiB or more.")
        }
        try validate(databases: request.databases)
        try validate(users: request.users)
        _ = try Settings.overrides(request.configuration)
    }

    static func renderConfiguration(_ request: ConfigurationRequest) throws -> String {
        let overrides = try Settings.overrides(request.overrides)
        let overridden = Set(overrides.map(\.name))
        let values = Settings.values(memoryMiB: request.size.memoryMiB).filter { !overridden.contains($0.name) }
        return Settings.group(values + overrides)
    }

    private static func validate(databases: [DatabaseDocument]) throws {
        var seen: Set<String> = []
        for database in databases {
            try Names.check(database: database)
            guard seen.insert(database.name).inserted else {
                throw PluginFailure(
                    .invalidArgument, "Databases with the name \"\(database.name)\" are asked for more than once.")
            }
        }
    }

    private static func validate(users: [UserDocument]) throws {
        var seen: Set<UserKey> = []
        for user in users {
            try Names.check(user: user.key)
            try Names.check(password: user.password)
            for name in user.databases { try Names.check(databaseName: name) }
            guard seen.insert(user.key).inserted else {
                throw PluginFailure(
                    .invalidArgument, "Users with the name \"\(user.key.text)\" are asked for more than once.")
            }
        }
    }
}
