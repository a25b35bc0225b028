// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model

/// Instances of memcached as a client and an operator see them. Every HTTP status that came is counted.
actor Memcaches {
    private let client: RESTClient
    /// Answers by status.
    private(set) var statuses: [Int: Int] = [:]
    /// The first words of answers above 299.
    private(set) var failures: [String] = []

    init(_ client: RESTClient) { self.client = client }

    func create(_ name: String) async throws -> String {
        let answer = try await call("POST", "/instances", MemcachedPackage.body(name))
        guard let id = answer.body?["instance"]?["id"]?.stringValue else { throw TestFailure("\(failures)") }
        return id
    }

    func call(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> RESTClient.Answer {
        let answer = try await client.call(method, path, body)
        statuses[answer.status, default: 0] += 1
        if answer.status > 299 {
            failures.append("\(method) \(path): \(String(decoding: answer.bytes, as: UTF8.self))")
        }
        return answer
    }

    /// Which release the instance's agent maps.
    func release(_ id: String) async throws -> String? {
        try await call("POST", "/instances/\(id)/action", ["release": [:]]).body?["release"]?.stringValue
    }

    /// Every instance's `operating_status` and status by id.
    func list() async throws -> [String: String] {
        let answer = try await call("GET", "/instances?limit=100")
        return (answer.body?["instances"]?.arrayValue ?? []).reduce(into: [:]) { result, item in
            if let id = item["id"]?.stringValue { result[id] = item["status"]?.stringValue }
        }
    }

    /// Waits for all of them; ERROR is a failure.
    func active(_ ids: [String], seconds: Double = 90) async throws {
        try await eventually(seconds, "all \(ids.count) are ACTIVE") {
            let list = try await list()
            if let bad = ids.first(where: { list[$0] == "ERROR" }) {
                throw TestFailure("\(bad) is in ERROR: \(try await client.must("GET", "/instances/\(bad)").text)")
            }
            try await Task.sleep(for: .milliseconds(100))
            return ids.allSatisfy { list[$0] == "ACTIVE" }
        }
    }

    /// Process id of the engine by instance id, read off the address that it listens on.
    func engines(_ ids: [String]) async throws -> [String: pid_t] {
        let processes = ControlPlane.processes(mentioning: "/memcached")
        var result: [String: pid_t] = [:]
        for id in ids {
            let instance = try await client.must("GET", "/instances/\(id)")["instance"]
            let address = instance?["ip"]?[0]?.stringValue ?? instance?["addresses"]?[0]?["address"]?.stringValue
            guard let address else { throw TestFailure("\(id) has no address: \(instance?.text ?? "")") }
            result[id] = processes.first { $0.arguments.contains(address) }?.pid
        }
        return result
    }

    /// Deletes all at once and waits for the end.
    func delete(_ ids: [String]) async throws {
        for id in ids { try await client.must("DELETE", "/instances/\(id)") }
        try await eventually(90, "all are gone") {
            try await Task.sleep(for: .milliseconds(100))
            let list = try await list()
            return ids.allSatisfy { list[$0] == nil }
        }
    }
}
