// SPDX-License-Identifier: Apache-2.0

import Logging
import Model
import StateStore
import TestSupport

@testable import Identity

/// A service on its first start, in a directory of its own.
struct Fixture {
    static let baseURL = "http://127.0.0.1:8779"

    let path: String
    let clock: TestClock
    let store: SQLiteStateStore
    let identity: BuiltInIdentity
    let credentials: BootstrapCredentials

    static func run(_ body: (Fixture) async throws -> Void) async throws {
        try await withTemporaryDirectory { path in
            let store = try SQLiteStateStore(path: path + "/trove.db", logger: logger)
            let clock = TestClock()
            let identity = try await BuiltInIdentity(
                directory: path + "/secrets", store: store, clock: clock, logger: logger)
            guard let credentials = identity.bootstrap else {
                throw IdentityError(.files, "The first start made no passwords.")
            }
            try await body(
                Fixture(path: path, clock: clock, store: store, identity: identity, credentials: credentials))
            await store.close()
        }
    }

    static var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// A second service on the same files.
    func restarted() async throws -> BuiltInIdentity {
        try await BuiltInIdentity(directory: path + "/secrets", store: store, clock: clock, logger: Self.logger)
    }

    func send(
        _ method: String, _ path: String, query: String = "", token: String? = nil, subject: String? = nil,
        body: JSONValue? = nil
    ) async -> (status: Int, headers: [String: String], json: JSONValue) {
        var headers: [(String, String)] = []
        if let token { headers.append(("x-auth-token", token)) }
        if let subject { headers.append(("x-subject-token", subject)) }
        let response = await identity.handle(
            IdentityRequest(
                method: method, path: path, query: query, headers: headers, body: body?.serialized ?? [],
                baseURL: Self.baseURL))
        return (
            response.status,
            Dictionary(response.headers.map { ($0.0.lowercased(), $0.1) }, uniquingKeysWith: { first, _ in first }),
            (try? JSONValue(parsing: response.body)) ?? .null
        )
    }

    /// A password request; the domain is the one the clients send.
    static func login(
        _ name: String, _ password: String, project: String? = nil, domain: JSONValue = ["name": "Default"]
    ) -> JSONValue {
        var auth: [String: JSONValue] = [
            "identity": [
                "methods": ["password"],
                "password": ["user": ["name": .string(name), "password": .string(password), "domain": domain]],
            ]
        ]
        if let project { auth["scope"] = ["project": ["name": .string(project), "domain": domain]] }
        return ["auth": .object(auth)]
    }

    static func rescope(_ token: String, _ scope: JSONValue) -> JSONValue {
        ["auth": ["identity": ["methods": ["token"], "token": ["id": .string(token)]], "scope": scope]]
    }

    /// A token of the member for its project.
    func memberToken() async throws -> String { try await token(credentials.member) }

    func administratorToken() async throws -> String { try await token(credentials.administrator) }

    func token(_ credentials: ClientCredentials, isScoped: Bool = true) async throws -> String {
        let body = Self.login(
            credentials.userName, credentials.password.revealed, project: isScoped ? credentials.projectName : nil)
        let response = await send("POST", "/v3/auth/tokens", body: body)
        guard response.status == 201, let token = response.headers["x-subject-token"] else {
            throw IdentityError(.unauthorized, "Logging in answered \(response.status).")
        }
        return token
    }
}
