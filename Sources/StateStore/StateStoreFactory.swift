// SPDX-License-Identifier: Apache-2.0

package import Logging
package import Model

/// Makes the state store that a configuration names.
package enum StateStoreFactory {
    /// Opens the store.
    ///
    /// A file is made and migrated when that is needed. A database server's schema must be there already: `trove db upgrade`
    /// brings it, so that starting a process never changes what others run on.
    ///
    /// - Parameters:
    ///   - mayBeAway: Whether a database server that cannot be reached now will do; what needs it throws `.unavailable` until it
    ///     can be.
    ///   - clock: What leases are reckoned by; nil: the system's for a file, the server's for a database server.
    /// - Throws: `.schema` for a schema that is not this program's, naming what to do; `.unavailable` and others of opening.
    package static func open(
        _ configuration: StateStoreConfiguration, mayBeAway: Bool = false, logger: Logger,
        clock: (any WallClock)? = nil
    ) async throws(StateStoreError) -> any StateStore {
        switch try StateStorePlace(configuration.url) {
        case .file(let path):
            return try SQLiteStateStore(path: path, clock: clock ?? SystemWallClock(), logger: logger)
        case .server(let server):
            let store = MariaDBStateStore(configuration, server, clock: clock, logger: logger)
            do {
                try await store.prepare(MariaDBSchema(configuration, server, logger: logger))
                return store
            } catch {
                if mayBeAway, error.isRetryable {
                    logger.warning(
                        "the state store is away; going on without it", metadata: ["error": "\(error.message)"])
                    return store
                }
                await store.close()
                throw error
            }
        }
    }

    /// What `trove db` works with; nothing is opened before its methods are called.
    package static func schema(
        _ configuration: StateStoreConfiguration, logger: Logger, clock: any WallClock = SystemWallClock()
    ) throws(StateStoreError) -> any SchemaAdministration {
        switch try StateStorePlace(configuration.url) {
        case .file(let path):
            return SQLiteSchema(path: path, clock: clock, logger: logger)
        case .server(let server):
            return MariaDBSchema(configuration, server, clock: clock, logger: logger)
        }
    }
}
