// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import Notifications
import StateStore
import Synchronization
import TestSupport

/// A notifier that tells a recording driver, on a fixed clock.
struct Fixture {
    let driver = RecordingDriver()
    let clock = TestClock()
    let notifier: Notifier
    let log = LogLines()

    init(usesOutbox: Bool = false, _ change: (inout NotificationConfiguration) -> Void = { _ in }) {
        var configuration = NotificationConfiguration(
            driver: .messaging, host: "10.0.0.1", serviceIDs: ["engine": "2f3ff068-2bfb-4f70-9a9d-a6bb65bc084b"])
        change(&configuration)
        notifier = Notifier(
            configuration, driver: driver, usesOutbox: usesOutbox, logger: log.logger, clock: clock,
            random: SeededRandomSource(seed: 1))
    }

    static let context = RequestContext(
        requestID: "req-11111111-2222-3333-4444-555555555555", userID: "u-1", userName: "name", projectID: "p-1",
        roles: ["member"])

    static func operation(_ event: OperationEvent, _ traits: [String: JSONValue] = [:]) -> Operation {
        Operation(event, context: context, clientIP: "10.0.0.9", serverIP: "10.0.0.1:8779", traits)
    }

    func message(_ number: Int) -> NotificationMessage {
        notifier.start(Self.operation(.instanceDelete, ["instance_id": .string("i-\(number)")]), by: .api)
    }

    enum StoreKind: String, CaseIterable, Sendable { case file, server }

    /// Runs `body` with a state store in a new file, or on a real server.
    static func withStore(_ kind: StoreKind = .file, _ body: (any StateStore) async throws -> Void) async throws {
        let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await withTemporaryDirectory { path in
            var configuration = StateStoreConfiguration(url: "sqlite:///\(path)/state/trove.db")
            if kind == .server {
                let nodes = try Nodes.shared([.mariadb])
                configuration = StateStoreConfiguration(
                    url: "mariadb://trove@127.0.0.1:\(try nodes.port("mariadb", "port"))/trove",
                    password: Secret(try nodes.password("mariadb", "trove")), tls: .off)
                _ = try await StateStoreFactory.schema(configuration, logger: silent).upgrade()
            }
            let store = try await StateStoreFactory.open(configuration, logger: silent)
            try await body(store)
            await store.close()
        }
    }
}

/// Waits until `condition` holds, ten seconds at most.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// What is logged, one text a line.
final class LogLines: Sendable {
    private let held = Mutex<[String]>([])
    var lines: [String] { held.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            lines.held.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}
