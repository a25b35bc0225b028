// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Where the programs of one major version are.
struct Programs {
    /// The major version, e.g. `15`: what decides about the form of the data.
    let major: String
    private let directory: String

    /// - Parameter version: The datastore version: a major version, or a release of one, e.g. `15` or `15.18`.
    /// - Throws: `PluginFailure` `.invalidArgument` for one that cannot be.
    init(version: String) throws {
        let parts = version.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        let numbers = parts.compactMap { $0 }
        guard numbers.map(String.init).joined(separator: ".") == version, (1...2).contains(numbers.count),
            let first = numbers.first, (14...99).contains(first)
        else {
            throw PluginFailure(
                .invalidArgument, "PostgreSQL has no version \"\(version)\"; name a major version, such as 15.")
        }
        major = String(first)
        directory = "/usr/lib/postgresql/\(major)/bin"
    }

    /// The server.
    var server: String { directory + "/postgres" }
    /// Makes a data directory.
    var installer: String { directory + "/initdb" }

    /// Writes what a file system still holds in memory.
    static let sync = "/usr/bin/sync"
    /// Gives a uid without a name one, for `initdb`, which insists on it. Source: nss_wrapper(1).
    static let names = "libnss_wrapper.so"
}
