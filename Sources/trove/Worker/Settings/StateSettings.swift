// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore

/// Where the rows are: group `state`.
struct StateSettings: Sendable {
    /// `scheme://user@host[:port][,host2…]/database`; nil: the home's own file.
    var url: String?
    var password: Secret?
    var caFile: String?
    var tls = StateStoreTLS.preferred
    /// Connections at most.
    var pool = 8
    /// Seconds that connecting, and waiting for an answer, may take.
    var timeout = 10

    static let keys: Set<String> = [
        "state.url", "state.password_file", "state.ca_file", "state.tls", "state.pool", "state.timeout",
    ]

    init() {}

    init(_ settings: SettingReader) throws {
        url = settings.text("state.url")
        password = try settings.secret("state.password")
        caFile = try settings.file("state.ca_file")
        if let text = settings.text("state.tls") {
            switch text {
            case "off", "false": tls = .off  // YAML 1.1 reads a bare off as false.
            case "preferred": tls = .preferred
            case "required": tls = .required
            case "verify": tls = .verify
            default: throw settings.error("state.tls", "must be off, preferred, required or verify")
            }
        } else if caFile != nil {
            tls = .verify
        }
        if tls == .verify, caFile == nil {
            throw settings.error("state.tls", "can verify only with 'state.ca_file'")
        }
        if let url {
            do { _ = try StateStoreFactory.schema(StateStoreConfiguration(url: url), logger: Log.make("store")) } catch
            {
                throw settings.error("state.url", "is wrong: \(error.message)")
            }
        }
        try settings.integer("state.pool", &pool, 1...256)
        try settings.integer("state.timeout", &timeout, 1...300)
    }

    /// Opens the store for a command; nil for a home that was never served.
    func existing(_ home: Home, logger: Logger) async throws -> (any StateStore)? {
        guard url != nil || Files.exists(home.database) else { return nil }
        return try await StateStoreFactory.open(store(home), logger: logger)
    }

    /// What the store is opened with.
    func store(_ home: Home) -> StateStoreConfiguration {
        StateStoreConfiguration(
            url: url ?? "sqlite://" + home.database, password: password, caFile: caFile, tls: tls, poolSize: pool,
            timeout: .seconds(timeout))
    }
}
