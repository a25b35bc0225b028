// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

extension EndToEnd {
    /// Streams of events as a client follows them, and dry runs.
    @Suite("Events", .serialized)
    struct EventsTests {
        /// One message of a stream.
        private struct Message: Hashable {
            var id: Int
            var data: JSONValue

            var label: String { "\(data["event"]?.stringValue ?? "") \(data["step"]?.stringValue ?? "")" }
        }

        /// A client that follows with curl into a file.
        private final class Follower {
            private let process = Process()
            private let file = FileManager.default.temporaryDirectory
                .appendingPathComponent("trove-events-\(UUID().uuidString)")

            init(_ client: RESTClient, _ path: String, lastEventID: Int? = nil) throws {
                process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
                var arguments = ["-sN", "-H", "X-Auth-Token: \(client.token)", "-H", "Accept: text/event-stream"]
                if let lastEventID { arguments += ["-H", "Last-Event-ID: \(lastEventID)"] }
                process.arguments = arguments + ["-o", file.path, "\(client.url)/v1.0/\(client.project)\(path)"]
                try process.run()
            }

            var text: String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }

            /// Whole messages so far.
            var messages: [Message] {
                text.components(separatedBy: "\n\n").dropLast().compactMap { block in
                    var (id, data) = (0, JSONValue.null)
                    for line in block.split(separator: "\n") {
                        if line.hasPrefix("id: ") { id = Int(line.dropFirst(4)) ?? 0 }
                        if line.hasPrefix("data: ") {
                            data = (try? JSONValue(parsing: String(line.dropFirst(6)))) ?? .null
                        }
                    }
                    return data.isNull ? nil : Message(id: id, data: data)
                }
            }

            var hasEnded: Bool { !process.isRunning }

            func stop() {
                if process.isRunning { kill(process.processIdentifier, SIGKILL) }
                process.waitUntilExit()
                try? FileManager.default.removeItem(at: file)
            }
        }

        private static let creation =
            ["operation_accepted "]
            + ["allocate", "bus", "boot", "access", "volume", "prepare", "modules"].flatMap {
                ["step_started \($0)", "step_done \($0)"]
            }
            + ["operation_done modules"]

        @Test(
            "a client sees each step once and in order, also over a kill -9 of the control plane; dry runs do nothing",
            .timeLimit(.minutes(10)))
        func follow() async throws {
            try await ControlPlane.with { plane in
                var client = try await RESTClient.login(plane)
                let follower = try Follower(client, "/events")
                defer { follower.stop() }
                try await eventually(10, "the stream begins") { follower.text.hasPrefix("retry: 1000\nid: ") }

                let dry = try await client.must("POST", "/instances?dry_run=true", RESTClient.createBody(name: "seen"))
                #expect(dry["plan"]?.arrayValue?.count == 7)
                #expect(try await client.must("GET", "/instances")["instances"] == [])

                let id = try await client.create(name: "seen")
                try await client.wait(id, for: "ACTIVE")
                try await eventually(10, "the last event is there") {
                    follower.messages.last?.label == "operation_done modules"
                }
                let made = follower.messages
                #expect(made.map(\.label) == Self.creation)
                #expect(made.map(\.id) == made.map(\.id).sorted() && Set(made.map(\.id)).count == made.count)
                #expect(Set(made.map { $0.data["request_id"] }).count == 1)
                #expect(made.allSatisfy { $0.data["instance_id"] == .string(id) })

                let plan = try await client.must(
                    "POST", "/instances?dry_run=true", RESTClient.createBody(name: "second"))
                #expect(plan["plan"]?.arrayValue?.allSatisfy { $0["seconds"] != .null } == true, "\(plan.text)")
                let database: JSONValue = ["databases": [["name": "planned"]]]
                let there = try await client.must("POST", "/instances/\(id)/databases?dry_run=true", database)
                #expect(there["plan"]?.arrayValue?.first?["step"] == "create_database")
                #expect(try await client.must("GET", "/instances/\(id)/databases")["databases"] == [])
                try await client.must("DELETE", "/instances/\(id)?dry_run=true")
                #expect(try await client.must("GET", "/instances/\(id)")["instance"]?["status"] == "ACTIVE")

                // Half way through a restart's events everything is killed.
                try await client.must("POST", "/instances/\(id)/action", ["restart": [:]])
                try await eventually(10, "the restart begins") { follower.messages.count > made.count }
                try await plane.kill9()
                try await eventually(10, "the stream has ended") { follower.hasEnded }
                let seen = follower.messages
                try await plane.start()
                client = try await RESTClient.login(plane)
                let second = try Follower(client, "/events", lastEventID: try #require(seen.last?.id))
                defer { second.stop() }
                try await client.wait(id, for: "ACTIVE")
                try await eventually(60, "the restart has ended") {
                    second.messages.last?.label == "operation_done report"
                        || (second.messages.isEmpty && seen.last?.label == "operation_done report")
                }
                let all = seen + second.messages
                #expect(Set(all.map(\.id)).count == all.count, "nothing comes twice")
                #expect(all.map(\.id) == all.map(\.id).sorted())
                let polled = try await client.events("/instances/\(id)/events")
                #expect(polled == all.map(\.id), "and nothing is missing")

                try await client.delete(id)
                try await eventually(10, "the end of the deletion is there") {
                    second.messages.last?.label == "operation_done network"
                }
                #expect(try await client.events("/instances/\(id)/events").last == second.messages.last?.id)
            }
        }
    }
}

extension RESTClient {
    /// The ids of the events below `path`, as a client polls them.
    fileprivate func events(_ path: String) async throws -> [Int] {
        try await must("GET", path)["events"]?.arrayValue?.compactMap { $0["id"]?.intValue } ?? []
    }
}
