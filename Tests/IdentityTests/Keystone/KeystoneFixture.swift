// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPClient
import Logging
import Model
import Synchronization
import TestSupport

@testable import Identity

/// A real Keystone, and this service's view of it.
struct KeystoneFixture: Sendable {
    let nodes: Nodes
    let uptime = TestUptime()
    let log = KeptLog()

    init(_ nodes: Nodes? = nil) throws { self.nodes = try nodes ?? Nodes.shared([.keystone]) }

    func configuration(_ change: (inout KeystoneConfiguration) throws -> Void = { _ in }) throws
        -> KeystoneConfiguration
    {
        var configuration = KeystoneConfiguration(
            url: try nodes.text("keystone", "url"), password: Secret(try nodes.password("keystone", "trove")),
            timeout: .seconds(60))
        if nodes.document["tls"] == true { configuration.caFile = try nodes.text("ca_file") }
        try change(&configuration)
        return configuration
    }

    /// - Parameter isTimeReal: Whether spans pass by themselves rather than by `uptime`.
    func identity(
        isTimeReal: Bool = false, clock: any WallClock = SystemWallClock(),
        _ change: (inout KeystoneConfiguration) throws -> Void = { _ in }
    ) throws -> KeystoneIdentity {
        let uptime = uptime
        return try KeystoneIdentity(
            try configuration(change), clock: clock, uptime: { isTimeReal ? .now : uptime.now }, logger: log.logger)
    }

    // MARK: Keystone's own API

    /// A token of one of the node's users for its project.
    func token(_ user: String) async throws -> String {
        let account = try nodes.text("keystone", user, "project")
        let password = try nodes.password("keystone", user)
        let answer = try await send("POST", "/auth/tokens", body: Fixture.login(user, password, project: account))
        guard answer.status == 201, let token = answer.headers["x-subject-token"] else {
            throw IdentityError(.unauthorized, "Logging '\(user)' in answered \(answer.status).")
        }
        return token
    }

    /// Another token with the rights of `token`; cheaper than a password's.
    func sibling(of token: String) async throws -> String {
        let body: JSONValue = ["auth": ["identity": ["methods": ["token"], "token": ["id": .string(token)]]]]
        let answer = try await send("POST", "/auth/tokens", body: body)
        guard answer.status == 201, let token = answer.headers["x-subject-token"] else {
            throw IdentityError(.unauthorized, "Rescoping answered \(answer.status).")
        }
        return token
    }

    /// A revocation counts for tokens issued in earlier seconds and this one; it is Keystone's answer that is waited for.
    func revoke(_ token: String) async throws {
        let answer = try await send(
            "DELETE", "/auth/tokens", headers: [("X-Auth-Token", token), ("X-Subject-Token", token)])
        guard answer.status == 204 else {
            throw IdentityError(.unavailable, "Revoking answered \(answer.status).")
        }
    }

    /// A user of project `service` with the role `service` alone.
    func addServiceUser(_ name: String, password: String) async throws {
        let headers = [("X-Auth-Token", try await token("admin"))]
        func id(_ plural: String, _ name: String) async throws -> String {
            let list = try JSONValue(parsing: try await send("GET", "/\(plural)?name=\(name)", headers: headers).body)
            return list[plural]?[0]?["id"]?.stringValue ?? ""
        }
        let user: JSONValue = [
            "user": ["name": .string(name), "password": .string(password), "domain_id": "default"]
        ]
        _ = try await send("POST", "/users", headers: headers, body: user)
        let (project, role) = (try await id("projects", "service"), try await id("roles", "service"))
        let grant = "/projects/\(project)/users/\(try await id("users", name))/roles/\(role)"
        guard try await send("PUT", grant, headers: headers).status == 204 else {
            throw IdentityError(.notFound, "The user '\(name)' was not made.")
        }
    }

    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: JSONValue? = nil
    ) async throws -> HTTPResponse {
        let exchanger = HTTPExchanger(HTTPClientConfiguration(caFile: nodes.document["ca_file"]?.stringValue))
        let request = HTTPRequest(
            method, try HTTPAddress(try nodes.text("keystone", "url") + path),
            headers: headers + (body == nil ? [] : [("Content-Type", "application/json")]),
            body: body.map { .bytes($0.serialized) } ?? .none)
        return try await Self.lane.run { () throws(IdentityError) -> HTTPResponse in
            do throws(HTTPClientError) {
                return try exchanger.perform(request, limits: HTTPLimits(deadline: .now + .seconds(30)))
            } catch { throw IdentityError(.unavailable, error.message) }
        }
    }

    private static let lane = BlockingLane(threads: 8, capacity: 1000, refusal: "too many test requests")

    /// Runs a statement on Keystone's database.
    func sql(_ statement: String) throws {
        let database = try nodes.text("directory") + "/keystone/state/keystone.db"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = [
            "-c", "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as d: d.execute(sys.argv[2])", database,
            statement,
        ]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.executableRuntimeMismatch) }
    }
}

/// What a call to `validate` came to.
func outcome(
    _ body: () async throws(IdentityError) -> AuthenticatedIdentity
) async -> Result<AuthenticatedIdentity, IdentityError> {
    do throws(IdentityError) { return .success(try await body()) } catch { return .failure(error) }
}

extension Result where Failure == IdentityError {
    var code: IdentityError.Code? {
        if case .failure(let error) = self { error.code } else { nil }
    }

    var isSuccess: Bool { code == nil }
}

/// Asks again until it holds.
///
/// - Returns: Seconds that it took; nil after `limit`.
func eventually(_ limit: Double, _ holds: () async throws -> Bool) async rethrows -> Double? {
    let start = ContinuousClock.now
    while true {
        let isOver = ContinuousClock.now - start > .seconds(limit)
        if try await holds() { return (ContinuousClock.now - start).inSeconds }
        if isOver { return nil }
        try? await Task.sleep(for: .milliseconds(20))
    }
}

/// A monotonic clock that stands still until a test moves it.
final class TestUptime: Sendable {
    private let time = Mutex(ContinuousClock.Instant.now)

    var now: ContinuousClock.Instant { time.withLock { $0 } }

    func advance(by duration: Duration) { time.withLock { $0 += duration } }
}

/// Keeps what is logged: `level message key=value…`.
final class KeptLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { [self] _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: KeptLog
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let details = (event.metadata ?? [:]).map { " \($0)=\($1)" }.sorted().joined()
            log.kept.withLock { $0.append("\(event.level) \(event.message)\(details)") }
        }
    }
}
