// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Every operation of the API's document is asked for what it must refuse, whatever operations there are.
    @Suite("Abuse of every route", .serialized)
    struct RouteAbuseTests {
        private static let lanes = 6
        /// MiB that the second round may add to what the first one needed.
        private static let growth = 24.0

        @Test("is refused with the contract's faults, changes nothing and costs no memory", .timeLimit(.minutes(5)))
        func everyRoute() async throws {
            // No limit of rates, in either shape.
            try await ControlPlane.with(environment: ["TROVE_API_RATE_LIMIT_PER_MINUTE": "0"]) { plane in
                let tenant = try await RESTClient.login(plane)
                let administrator = try await RESTClient.login(plane, asAdministrator: true)
                #expect(administrator.project != tenant.project)
                let made = try await furnish([tenant, administrator])
                let (operations, schemas) = try await DescribedOperation.read(plane)
                #expect(operations.count >= 60, "\(operations.count)")
                let (own, theirs) = try await objects(operations, tenant, administrator)
                #expect(own["/instances"] == made[0] && theirs["/instances"] == made[1])
                #expect(theirs["/configurations"] != nil && theirs["/backups"] != nil, "\(theirs)")
                let abuse = AbuseCases(
                    tenant: AbuseCaller(tenant), administrator: AbuseCaller(administrator), all: operations,
                    schemas: schemas, own: own, theirs: theirs, maximumBody: 1 << 20)
                let cases = operations.flatMap(abuse.cases)
                let before = try await StoreDigest.read(plane)

                var memory: [Double] = []
                // Once all of them, then every other one.
                for step in 1...2 {
                    let began = ContinuousClock.now
                    let asked = stride(from: 0, to: cases.count, by: step).map { cases[$0] }
                    for flaw in try await Self.run(asked, plane.port).prefix(40) { Issue.record("\(flaw)") }
                    memory.append(try plane.memory())
                    print("\(operations.count) operations, \(asked.count) requests in \(began.secondsToNow) s")
                }
                #expect(memory[1] - memory[0] < Self.growth, "\(memory) MiB")
                print("control plane, MiB: \(memory)")
                let changes = before.changes(to: try await StoreDigest.read(plane))
                #expect(changes == [], "tables changed")

                for (client, id) in zip([tenant, administrator], made) {
                    #expect(try await client.must("GET", "/instances/\(id)")["instance"]?["status"] == "ACTIVE")
                }
                #expect(!plane.logTail(100_000).contains("uncaught error"))
            }
        }

        /// An instance and a configuration group of each, and a backup of the last; ids of the instances.
        private func furnish(_ clients: [RESTClient]) async throws -> [String] {
            var made: [String] = []
            for client in clients { made.append(try await client.create(name: "abused")) }
            for (client, id) in zip(clients, made) {
                try await client.wait(id, for: "ACTIVE")
                let group: JSONValue = [
                    "name": "abused", "datastore": ["type": "mariadb", "version": "10.11"],
                    "values": ["max_connections": 50],
                ]
                try await client.must("POST", "/configurations", ["configuration": group])
            }
            guard let client = clients.last, let id = made.last else { return made }
            let backup = try await client.must("POST", "/backups", ["backup": ["name": "b", "instance": .string(id)]])
            try await client.waitBackup(backup["backup"]?["id"]?.stringValue ?? "", for: "COMPLETED")
            return made
        }

        /// By path, an id that the tenant's list has, and one that only the administrator's has.
        private func objects(
            _ operations: [DescribedOperation], _ tenant: RESTClient, _ administrator: RESTClient
        ) async throws -> (own: [String: String], theirs: [String: String]) {
            var own: [String: String] = [:]
            var theirs: [String: String] = [:]
            func ids(_ client: RESTClient, _ path: String) async throws -> [String] {
                let answer = try await client.call("GET", path)
                let lists = (answer.body?.objectValue ?? [:]).filter { $0.key != "links" }.values
                return lists.compactMap(\.arrayValue).joined().compactMap { $0["id"]?.stringValue }
            }
            for operation in operations where operation.method == "GET" && operation.parameters.isEmpty {
                let (mine, all) = (try await ids(tenant, operation.path), try await ids(administrator, operation.path))
                own[operation.path] = mine.first
                theirs[operation.path] = all.first { !mine.contains($0) }
            }
            return (own, theirs)
        }

        /// Sends the cases over several connections; what is wrong with their answers.
        private static func run(_ cases: [AbuseCase], _ port: UInt16) async throws -> [String] {
            try await withThrowingTaskGroup(of: [String].self) { group in
                for lane in 0..<lanes {
                    group.addTask {
                        try await onQueue {
                            let connection = RequestLane(port: port)
                            var flaws: [String] = []
                            for number in stride(from: lane, to: cases.count, by: lanes) {
                                let item = cases[number]
                                let reply = try connection.exchange(item.bytes, hasBody: !item.isHead)
                                if let flaw = item.flaw(reply) { flaws.append(flaw) }
                            }
                            return flaws
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
        }
    }
}

/// Runs what blocks on a thread of its own.
func onQueue<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}
