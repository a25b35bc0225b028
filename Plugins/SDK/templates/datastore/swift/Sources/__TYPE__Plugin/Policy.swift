// SPDX-License-Identifier: 0BSD OR MIT OR Apache-2.0

import TrovePluginKit

/// What is asked before anything exists. Pure functions.
enum Policy: DatastorePolicy {
    private static let minimumMemoryMiB = 64

    static func requirements(version: String) throws -> Requirements {
        Requirements(
            ports: [Server.port], isVolumeRequired: false, minimumVolumeGiB: 0, minimumMemoryMiB: minimumMemoryMiB,
            hasTemplate: false, programs: [Server.program])
    }

    static func validateCreate(_ request: CreateRequest) throws {
        try check(memoryMiB: request.size.memoryMiB)
        guard request.databases.isEmpty, request.users.isEmpty else {
            throw PluginFailure(.invalidArgument, "This datastore has no databases and no users; leave them out.")
        }
    }

    /// The text is the plugin's own business: what prepare and launch of the guest read.
    static func renderConfiguration(_ request: ConfigurationRequest) throws -> String {
        try check(memoryMiB: request.size.memoryMiB)
        return "memory \(request.size.memoryMiB * 3 / 4)\n"
    }

    private static func check(memoryMiB: Int) throws {
        guard memoryMiB >= minimumMemoryMiB else {
            throw PluginFailure(.invalidArgument, "The flavor must have \(minimumMemoryMiB) MiB of memory or more.")
        }
    }
}
