// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// Calls of a tenant with a token of its own, each timed and on a new connection unless it is given one.
struct PlainClient: Sendable {
    struct Answer: Sendable, CustomStringConvertible {
        /// 0 when the connection ended without an answer.
        var status: Int
        var retryAfter: Int?
        var body: JSONValue?
        var seconds: Double

        var description: String {
            "\(status) after \(String(format: "%.2f", seconds)) s, Retry-After \(retryAfter.map { "\($0)" } ?? "-"): "
                + (body?.text ?? "")
        }
    }

    let port: UInt16
    let project: String
    let token: String

    /// Asks Keystone for a token that nobody has seen yet.
    static func login(_ plane: RolePlane) async throws -> PlainClient {
        let values = plane.space.openrc
        func named(_ key: String, domain: String) -> JSONValue {
            ["name": .string(values[key] ?? ""), "domain": ["name": .string(values[domain] ?? "Default")]]
        }
        var user = named("OS_USERNAME", domain: "OS_USER_DOMAIN_NAME").objectValue ?? [:]
        user["password"] = .string(values["OS_PASSWORD"] ?? "")
        let body: JSONValue = [
            "auth": [
                "identity": ["methods": ["password"], "password": ["user": .object(user)]],
                "scope": ["project": named("OS_PROJECT_NAME", domain: "OS_PROJECT_DOMAIN_NAME")],
            ]
        ]
        let answer = try await RESTClient.send("POST", (values["OS_AUTH_URL"] ?? "") + "/auth/tokens", body, token: nil)
        guard answer.status == 201, let token = answer.headers["x-subject-token"],
            let project = answer.body?["token"]?["project"]?["id"]?.stringValue
        else { throw TestFailure("no token: \(answer.status) \(String(decoding: answer.bytes, as: UTF8.self))") }
        return PlainClient(port: plane.port, project: project, token: token)
    }

    func call(
        _ method: String, _ path: String, _ body: JSONValue? = nil, over connection: KeptConnection? = nil
    ) async throws -> Answer {
        let content = body.map { Array($0.serialized) } ?? []
        let head = [
            "\(method) /v1.0/\(project)\(path) HTTP/1.1", "Host: 127.0.0.1", "X-Auth-Token: \(token)",
            "Content-Type: application/json", "Content-Length: \(content.count)",
            "Connection: \(connection == nil ? "close" : "keep-alive")", "", "",
        ].joined(separator: "\r\n")
        let bytes = Array(head.utf8) + content
        let began = ContinuousClock.now
        let answer: RawHTTP.Answer
        if let connection {
            answer = try await connection.send(bytes)
        } else {
            answer = try await RawHTTP.send(port, bytes, seconds: 60)
        }
        let retryAfter = answer.text.firstMatch(of: #/(?i)retry-after: (\d+)/#).flatMap { Int($0.1) }
        return Answer(
            status: answer.status, retryAfter: retryAfter, body: answer.body, seconds: began.secondsToNow)
    }

    /// As `call`, but anything above 299 is a failure of the test.
    @discardableResult
    func must(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await call(method, path, body)
        guard (200..<300).contains(answer.status) else { throw TestFailure("\(method) \(path): \(answer)") }
        return answer.body ?? .null
    }

    /// A call whose dependency is away; how long its answer took.
    func refused(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> Double {
        let answer = try await call(method, path, body)
        guard answer.status == 503, answer.retryAfter != nil else {
            throw TestFailure("\(method) \(path) should be refused with 503 and Retry-After: \(answer)")
        }
        return answer.seconds
    }
}

extension PlainClient {
    /// The extra of a create: a database with a user in it.
    static let shop: JSONValue = [
        "databases": [["name": "shop"]],
        "users": [["name": "clerk", "password": "s3cret", "databases": [["name": "shop"]]]],
    ]

    func create(_ name: String, backup: String? = nil) async throws -> String {
        let body = RESTClient.createBody(name: name, backup: backup, extra: backup == nil ? Self.shop : [:])
        let answer = try await must("POST", "/instances", body)
        guard let id = answer["instance"]?["id"]?.stringValue else { throw TestFailure("no id in \(answer.text)") }
        return id
    }

    func backup(of instance: String, _ name: String) async throws -> String {
        let answer = try await must(
            "POST", "/backups", ["backup": ["name": .string(name), "instance": .string(instance)]])
        guard let id = answer["backup"]?["id"]?.stringValue else { throw TestFailure("no id in \(answer.text)") }
        return id
    }

    /// Waits until an instance or a backup has the status, or is gone.
    @discardableResult
    func wait(_ path: String, for status: String, seconds: Double = 90) async throws -> JSONValue {
        var last: Answer?
        do {
            try await eventually(seconds, "\(path) is \(status)") {
                let answer = try await call("GET", path)
                last = answer
                if answer.status == 404 { return status == "GONE" }
                let found = answer.body?.objectValue?.values.first?["status"]?.stringValue ?? ""
                // An instance without a server shows ERROR while it is deleted.
                if ["ERROR", "FAILED"].contains(found), status != "GONE" { throw TestFailure("\(path): \(answer)") }
                if found != status { try await Task.sleep(for: .milliseconds(100)) }
                return found == status
            }
        } catch let failure as TestFailure {
            throw TestFailure("\(failure); last: \(last.map { "\($0)" } ?? "no answer")")
        }
        return last?.body?.objectValue?.values.first ?? .null
    }

    /// Writes a row into the database of an instance that is ACTIVE.
    func fill(_ instance: String, rows: String = "(7)") async throws {
        try await sql(instance, "CREATE TABLE IF NOT EXISTS t (n INT PRIMARY KEY); INSERT INTO t VALUES \(rows)")
    }

    @discardableResult
    func sql(_ instance: String, _ statement: String) async throws -> String {
        let shown = try await must("GET", "/instances/\(instance)")["instance"] ?? .null
        return try await SQL.run(
            try SQL.address(shown), user: "clerk", password: "s3cret", database: "shop", statement)
    }

    /// Deletes instances beside each other and waits until they are gone.
    func delete(_ collection: String, _ ids: [String]) async throws {
        for id in ids { try await must("DELETE", "/\(collection)/\(id)") }
        for id in ids { try await wait("/\(collection)/\(id)", for: "GONE") }
    }
}

extension ContinuousClock.Instant {
    var secondsToNow: Double { duration(to: .now) / .seconds(1) }
}
