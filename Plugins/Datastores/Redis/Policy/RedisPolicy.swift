// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// What is asked of Redis before anything exists.
enum RedisPolicy: DatastorePolicy {
    static let minimumMemoryMiB = 64

    static func requirements(version: String) throws -> Requirements {
        Requirements(
            ports: [6379], isVolumeRequired: true, minimumVolumeGiB: 1, minimumMemoryMiB: minimumMemoryMiB,
            hasTemplate: false, programs: Programs.all)
    }

    static func validateCreate(_ request: CreateRequest) throws {
        guard request.size.memoryMiB >= minimumMemoryMiB else {
            throw PluginFailure(.invalidArgument, "The flavor must have \(minimumMemoryMiB) MiB of memory or more.")
        }
        guard request.size.volumeGiB >= 1 else {
            throw PluginFailure(.invalidArgument, "The volume must have a size of 1 GiB or more.")
        }
        guard request.databases.isEmpty else {
            throw PluginFailure(
                .invalidArgument,
                "Databases cannot be made in this datastore: it has numbered ones, which are always there.")
        }
        for user in request.users {
            try Names.check(user: user.key)
            try Names.check(password: user.password)
            try Names.check(databases: user.databases, of: user.key.name)
        }
        guard Set(request.users.map(\.key)).count == request.users.count else {
            throw PluginFailure(
                .invalidArgument,
                """
                Two or more users share the same name and host in the initial users list. Please correct the names or \
                remove the duplicate entries.
                """)
        }
        try Settings.check(try Settings.overrides(request.configuration), memoryMiB: request.size.memoryMiB)
    }

    static func renderConfiguration(_ request: ConfigurationRequest) throws -> String {
        let overrides = try Settings.overrides(request.overrides)
        try Settings.check(overrides, memoryMiB: request.size.memoryMiB)
        return Settings.text(Settings.merged(Settings.values(memoryMiB: request.size.memoryMiB), overrides))
    }
}
