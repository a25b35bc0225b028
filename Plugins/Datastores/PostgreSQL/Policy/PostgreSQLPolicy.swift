// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What is asked of PostgreSQL before anything exists.
enum PostgreSQLPolicy: DatastorePolicy {
    static let minimumMemoryMiB = 128

    static func requirements(version: String) throws -> Requirements {
        let programs = try Programs(version: version)
        return Requirements(
            ports: [5432], isVolumeRequired: true, minimumVolumeGiB: 1, minimumMemoryMiB: minimumMemoryMiB,
            hasTemplate: true, programs: [programs.server, programs.installer])
    }

    static func validateCreate(_ request: CreateRequest) throws {
        guard request.size.memoryMiB >= minimumMemoryMiB else {
            throw PluginFailure(.invalidArgument, "The flavor must have \(minimumMemoryMiB) MiB of memory or more.")
        }
        guard request.size.volumeGiB >= 1 else {
            throw PluginFailure(.invalidArgument, "The volume must have a size of 1 GiB or more.")
        }
        try validate(databases: request.databases)
        try validate(users: request.users, databases: request.databases)
        try validateConfiguration(request.configuration, version: request.size.version)
        let overrides = try Settings.overrides(request.configuration)
        try Settings.checkMemory(overrides, memoryMiB: request.size.memoryMiB)
    }

    static func renderConfiguration(_ request: ConfigurationRequest) throws -> String {
        let overrides = try Settings.overrides(request.overrides)
        let overridden = Set(overrides.map(\.name))
        let size = request.size
        let values = Settings.values(memoryMiB: size.memoryMiB, volumeGiB: size.volumeGiB)
        return Settings.text(values.filter { !overridden.contains($0.name) } + overrides)
    }

    private static func validate(databases: [DatabaseDocument]) throws {
        for database in databases { try Names.check(database: database) }
        guard Set(databases.map(\.name)).count == databases.count else {
            throw PluginFailure(
                .invalidArgument,
                """
                Two or more databases share the same name in the initial databases list. Please correct the names or \
                remove the duplicate entries.
                """)
        }
    }

    private static func validate(users: [UserDocument], databases: [DatabaseDocument]) throws {
        let initial = Set(databases.map(\.name))
        for user in users {
            try Names.check(user: user.key)
            try Names.check(password: user.password)
            for name in user.databases where !initial.contains(name) {
                throw PluginFailure(
                    .invalidArgument,
                    """
                    The request indicates that user \(user.key.name) should have access to database \(name), but \
                    database \(name) is not included in the initial databases list.
                    """)
            }
        }
        guard Set(users.map(\.key)).count == users.count else {
            throw PluginFailure(
                .invalidArgument,
                """
                Two or more users share the same name and host in the initial users list. Please correct the names or \
                remove the duplicate entries.
                """)
        }
    }
}
