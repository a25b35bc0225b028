// SPDX-License-Identifier: Apache-2.0

/// Where the engine's programs are.
enum Programs {
    /// The server.
    static let server = "/usr/sbin/mariadbd"
    /// Makes a data directory.
    static let installer = "/usr/bin/mariadb-install-db"
    /// Writes what a file system still holds in memory.
    static let sync = "/usr/bin/sync"
    /// Brings system tables to the server's version.
    static let upgrader = "/usr/bin/mariadb-upgrade"
}
