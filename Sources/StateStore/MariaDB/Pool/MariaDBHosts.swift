// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Synchronization

/// The hosts of one server or cluster: connects to the first one that takes transactions.
final class MariaDBHosts: Sendable {
    private struct State {
        var machine: HostStateMachine
        var lastError: StateStoreError?
        /// For each host, how often it was disqualified: connections from before are not used any more.
        var epochs: [Int]
    }

    let server: DatabaseServer
    let options: MariaDBOptions
    private let logger: Logger
    private let state: Mutex<State>

    init(_ configuration: StateStoreConfiguration, _ server: DatabaseServer, logger: Logger) {
        self.server = server
        options = MariaDBOptions(configuration, server)
        self.logger = logger
        state = Mutex(
            State(
                machine: HostStateMachine(count: server.hosts.count),
                epochs: Array(repeating: 0, count: server.hosts.count)))
    }

    /// - Throws: `.unavailable` with each host's reason; at once, without asking, shortly after nobody answered.
    func connect() throws(StateStoreError) -> MariaDBConnection {
        let order: [Int]
        switch state.withLock({ $0.machine.begin(at: .now) }) {
        case .attempt(let hosts): order = hosts
        case .refuse:
            throw state.withLock({ $0.lastError }) ?? StateStoreError(.unavailable, "No database server answers.")
        }
        var reasons: [(host: DatabaseServer.Host, failure: MariaDBFailure)] = []
        for index in order {
            let host = server.hosts[index]
            do throws(MariaDBFailure) {
                let epoch = state.withLock { $0.epochs[index] }
                let connection = try MariaDBConnection(
                    host, index, epoch, options, refusingReadOnly: server.hosts.count > 1)
                succeeded(index, host)
                return connection
            } catch {
                // Whoever is connected to it since it took transactions does not stay either.
                if error.effect == .server { state.withLock { $0.epochs[index] += 1 } }
                reasons.append((host, error))
            }
        }
        throw failed(reasons)
    }

    /// Asks other hosts first from now on, and lets no other connection to this one be used.
    func disqualify(_ connection: MariaDBConnection) {
        state.withLock { state in
            guard state.epochs[connection.hostIndex] == connection.epoch else { return }
            state.epochs[connection.hostIndex] += 1
            state.machine.disqualify(connection.hostIndex)
        }
    }

    /// Whether a connection is still good. Asked of the server after a while without use; where there is another host to
    /// go to, after a while in any case, or somebody who only reads would stay on one that was demoted.
    func isGood(_ connection: MariaDBConnection) -> Bool {
        guard state.withLock({ $0.epochs[connection.hostIndex] }) == connection.epoch else { return false }
        let since = server.hosts.count > 1 ? connection.lastCheck : connection.lastUse
        return ContinuousClock.now - since < MariaDBStateStore.idleLimit || connection.check()
    }

    private func succeeded(_ index: Int, _ host: DatabaseServer.Host) {
        let wasDown = state.withLock { state in
            defer { state.lastError = nil }
            state.machine.succeeded(on: index)
            return state.lastError != nil
        }
        if wasDown { logger.notice("database server is back", metadata: ["database.host": "\(host)"]) }
    }

    private func failed(_ reasons: [(host: DatabaseServer.Host, failure: MariaDBFailure)]) -> StateStoreError {
        let text = reasons.map { "\($0.host): \($0.failure.reasonOfConnecting)" }.joined(separator: "; ")
        let error = StateStoreError(
            .unavailable, "No connection to the database \(server.database) (\(text)).",
            cause: reasons.last?.failure)
        let wasUp = state.withLock { state in
            defer { state.lastError = error }
            state.machine.failed(at: .now, jitter: .random(in: 0...1))
            return state.lastError == nil
        }
        if wasUp { logger.warning("database server does not answer", metadata: ["error": "\(error.message)"]) }
        return error
    }
}

extension MariaDBFailure {
    /// What is wrong with a host, and whose hands it is in.
    fileprivate var reasonOfConnecting: String {
        switch number {
        case 1045, 1698: "the password of the user is wrong, or the user may not come from here"
        case 1044: "the user may not use this database"
        case 1049: "there is no such database"
        case 1040, 1203, 1226: "too many connections (server error \(number))"
        case 1836: "the server is read-only"
        default: "\(text) (\(number))"
        }
    }
}
