// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A REST client with a token of its own.
struct RESTClient: Sendable {
    struct Answer: Sendable {
        var status: Int
        var headers: [String: String]
        var body: JSONValue?
        var bytes: Data
    }

    let url: String
    let project: String
    let token: String
    /// The services that its token names.
    var catalog: JSONValue = []

    /// Logs in with the home's openrc, or as its administrator.
    static func login(_ plane: ControlPlane, asAdministrator: Bool = false) async throws -> RESTClient {
        var values = try plane.openrc()
        if asAdministrator { values = try plane.administrator() }
        return try await login(plane, values)
    }

    /// Logs in as somebody else of the same control plane.
    static func login(
        _ plane: ControlPlane, user: String, password: String, project: String
    ) async throws -> RESTClient {
        var values = try plane.openrc()
        values["OS_USERNAME"] = user
        values["OS_PASSWORD"] = password
        values["OS_PROJECT_NAME"] = project
        return try await login(plane, values)
    }

    /// Logs in with the variables of an openrc.
    static func login(_ plane: ControlPlane, _ values: [String: String]) async throws -> RESTClient {
        func domain(_ key: String) -> JSONValue { ["name": .string(values[key] ?? "Default")] }
        let body: JSONValue = [
            "auth": [
                "identity": [
                    "methods": ["password"],
                    "password": [
                        "user": [
                            "name": .string(values["OS_USERNAME"] ?? ""),
                            "password": .string(values["OS_PASSWORD"] ?? ""),
                            "domain": domain("OS_USER_DOMAIN_NAME"),
                        ]
                    ],
                ],
                "scope": [
                    "project": [
                        "name": .string(values["OS_PROJECT_NAME"] ?? ""), "domain": domain("OS_PROJECT_DOMAIN_NAME"),
                    ]
                ],
            ]
        ]
        let answer = try await send("POST", (values["OS_AUTH_URL"] ?? "") + "/auth/tokens", body, token: nil)
        guard answer.status == 201, let token = answer.headers["x-subject-token"],
            let project = answer.body?["token"]?["project"]?["id"]?.stringValue
        else { throw TestFailure("no token: \(answer.status) \(String(decoding: answer.bytes, as: UTF8.self))") }
        return RESTClient(
            url: plane.url, project: project, token: token, catalog: answer.body?["token"]?["catalog"] ?? [])
    }

    func call(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> Answer {
        try await Self.send(method, "\(url)/v1.0/\(project)\(path)", body, token: token)
    }

    /// As `call`, but anything above 299 is a failure of the test.
    @discardableResult
    func must(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await call(method, path, body)
        guard answer.status < 300 else {
            throw TestFailure("\(method) \(path): \(answer.status) \(String(decoding: answer.bytes, as: UTF8.self))")
        }
        return answer.body ?? .null
    }

    static func send(_ method: String, _ url: String, _ body: JSONValue?, token: String?) async throws -> Answer {
        try await send(method, url, bytes: body.map { Data($0.serialized) }, token: token)
    }

    static func send(_ method: String, _ url: String, bytes: Data?, token: String?) async throws -> Answer {
        guard let target = URL(string: url) else { throw TestFailure("not a URL: \(url)") }
        var request = URLRequest(url: target)
        request.httpMethod = method
        request.timeoutInterval = 60
        request.httpBody = bytes
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("application/json", forHTTPHeaderField: "Accept")
        if let token { request.setValue(token, forHTTPHeaderField: "X-Auth-Token") }
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw TestFailure("no HTTP answer from \(url)") }
        var headers: [String: String] = [:]
        for (name, value) in response.allHeaderFields { headers["\(name)".lowercased()] = "\(value)" }
        return Answer(
            status: response.statusCode, headers: headers, body: try? JSONValue(parsing: data), bytes: data
        )
    }
}

extension RESTClient {
    /// Body of a create for the smallest MariaDB.
    static func createBody(name: String, gib: Int = 1, backup: String? = nil, extra: JSONValue = [:]) -> JSONValue {
        var members: [String: JSONValue] = [
            "name": .string(name), "flavorRef": "1", "volume": ["size": .int(Int64(gib))],
            "datastore": ["type": "mariadb", "version": "10.11"],
        ]
        if let backup { members["restorePoint"] = ["backupRef": .string(backup)] }
        for (key, value) in extra.objectValue ?? [:] { members[key] = value }
        return ["instance": .object(members)]
    }

    func create(name: String, gib: Int = 1, backup: String? = nil, extra: JSONValue = [:]) async throws -> String {
        let answer = try await must(
            "POST", "/instances", Self.createBody(name: name, gib: gib, backup: backup, extra: extra))
        guard let id = answer["instance"]?["id"]?.stringValue else { throw TestFailure("no id in \(answer.text)") }
        return id
    }

    /// Waits for the status and returns the instance.
    @discardableResult
    func wait(_ id: String, for status: String, seconds: Double = 120) async throws -> JSONValue {
        var last: JSONValue = .null
        do {
            try await eventually(seconds, "instance \(id) is \(status)") {
                let answer = try await call("GET", "/instances/\(id)")
                last = answer.body?["instance"] ?? .null
                if answer.status == 404 { return status == "GONE" }
                // An instance without a server shows ERROR while it is deleted.
                if last["status"]?.stringValue == "ERROR", status != "ERROR", status != "GONE" {
                    throw TestFailure("instance \(id) is in ERROR: \(last["fault"]?.text ?? "no fault")")
                }
                return last["status"]?.stringValue == status
            }
        } catch let failure as TestFailure {
            throw TestFailure("\(failure); it is \(last.text)")
        }
        return last
    }

    @discardableResult
    func waitBackup(_ id: String, for state: String, seconds: Double = 120) async throws -> JSONValue {
        var last: JSONValue = .null
        try await eventually(seconds, "backup \(id) is \(state)") {
            let answer = try await call("GET", "/backups/\(id)")
            last = answer.body?["backup"] ?? .null
            if answer.status == 404 { return state == "GONE" }
            if last["status"]?.stringValue == "FAILED", state != "FAILED", state != "GONE" {
                throw TestFailure("backup \(id) FAILED")
            }
            return last["status"]?.stringValue == state
        }
        return last
    }

    /// Every event of an instance that is kept, page by page.
    func events(of id: String) async throws -> [JSONValue] {
        var events: [JSONValue] = []
        var position = 0
        while true {
            let page = try await must("GET", "/instances/\(id)/events?since=\(position)")
            let found = page["events"]?.arrayValue ?? []
            guard let end = page["position"]?.intValue, !found.isEmpty else { return events }
            events += found
            position = end
        }
    }

    func delete(_ id: String) async throws {
        try await must("DELETE", "/instances/\(id)")
        try await wait(id, for: "GONE")
    }
}

extension ControlPlane {
    /// The administrator's variables, in openrc's names: from clouds.yaml, or Keystone's.
    func administrator() throws -> [String: String] {
        if let space { return space.administrator }
        let text = try String(contentsOfFile: home + "/clouds.yaml", encoding: .utf8)
        guard let start = text.range(of: "trove-admin:") else { throw TestFailure("clouds.yaml has no trove-admin") }
        var values: [String: String] = [:]
        for line in text[start.upperBound...].split(separator: "\n") {
            let pair = line.split(separator: ":", maxSplits: 1).map {
                $0.trimmingCharacters(in: CharacterSet(charactersIn: " '\""))
            }
            guard pair.count == 2, !pair[1].isEmpty else { continue }
            values["OS_" + pair[0].uppercased()] = pair[1]
        }
        return values
    }
}
