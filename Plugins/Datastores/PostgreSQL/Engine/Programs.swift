// SPDX-License-Identifier: Apache-2.0

import TrovePluginKit

/// Where the programs of one major version are.
struct Programs {
    private let directory: String

    /// - Parameter version: The datastore version: a major version, e.g. `15`.
    /// - Throws: `PluginFailure` `.invalidArgument` for one that cannot be.
    init(version: String) throws {
        guard let major = Int(version), (13...99).contains(major), String(major) == version else {
            throw PluginFailure(
                .invalidArgument, "PostgreSQL has no version \"\(version)\"; name a major version, such as 15.")
        }
        directory = "/usr/lib/postgresql/\(version)/bin"
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
