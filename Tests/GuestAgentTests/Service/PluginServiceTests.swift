// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Messaging
import Model
import PluginHost
import TestSupport
import Testing

@testable import GuestAgent

@Suite("host services in the guest")
struct PluginServiceTests {
    private static func ask(
        _ fixture: AgentFixture, _ method: String, _ payload: JSONValue = .null
    ) async throws -> JSONValue {
        try await fixture.call(
            .pluginCall, ["plugin": "org.example.files", "method": .string(method), "payload": payload])
    }

    private static func code(_ body: () async throws -> some Sendable) async -> String? {
        do {
            _ = try await body()
            return nil
        } catch { return ((error as? MessagingError)?.failure).flatMap(PeerFault.code) ?? "\(error)" }
    }

    @Test("a value that a plugin keeps is there for the next agent, in private files")
    func values() async throws {
        try await AgentFixture.run { (fixture) async throws in
            var first = 0
            try await fixture.withAgent { (_) async throws in
                #expect(await Self.code { try await Self.ask(fixture, "kept") } == "not_found")
                first = try await Self.ask(fixture, "keep", ["n": 1]).intValue ?? 0
                #expect(try await Self.ask(fixture, "kept") == ["n": 1])
            }
            try await fixture.withAgent { (_) async throws in
                #expect(try await Self.ask(fixture, "kept") == ["n": 1])
                #expect(try await Self.ask(fixture, "keep", ["n": 2]).intValue ?? 0 > first)
                #expect(try await Self.ask(fixture, "kept") == ["n": 2])
            }
            let directory = fixture.instance.root + "/state/values/org.example.files"
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names.count == 1)
            for name in names {
                let mode = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)[.posixPermissions]
                #expect(mode as? Int == 0o600)
            }
        }
    }

    @Test("a plugin reaches its control half, for its own instance only, and hears its failures")
    func peer() async throws {
        try await AgentFixture.run { (fixture) async throws in
            try await fixture.withAgent { (_) async throws in
                #expect(try await Self.ask(fixture, "up") == ["heard": ["a": 1]])
                let message = await fixture.conductor.messages.first
                #expect(message?.instanceID == fixture.id && message?.pluginID == "org.example.files")
                #expect(await Self.code { try await Self.ask(fixture, "foreign") } == "permission_denied")
                #expect(await Self.code { try await Self.ask(fixture, "nonsense") } == "unsupported")
                let absent = await Self.code {
                    try await fixture.call(
                        .pluginCall, ["plugin": "org.example.none", "method": "up", "payload": .null])
                }
                #expect(absent == "not_found")
            }
        }
    }

    @Test("what a plugin reports reaches the conductor; a status holds until the agent asks again")
    func reports() async throws {
        try await AgentFixture.run { (fixture) async throws in
            try await fixture.withAgent { (_) async throws in
                #expect(try await fixture.prepare())
                _ = try await Self.ask(
                    fixture, "report", ["kind": "service_status", "document": ["status": "blocked"]])
                #expect(try await eventually { await fixture.conductor.statuses.suffix(2).contains(.blocked) })
                #expect(try await fixture.reports(.healthy))
                _ = try await Self.ask(fixture, "report", ["kind": "root_enabled", "document": [:]])
                #expect(try await eventually { await fixture.conductor.roots.count == 1 })
                _ = try await Self.ask(
                    fixture, "report",
                    ["kind": "backup", "document": ["backup_id": "b1", "message": "half done"]])
                #expect(try await eventually { await fixture.conductor.backups.first?.message == "half done" })
                #expect(await fixture.conductor.backups.first?.state == nil)
                for payload: JSONValue in [
                    ["kind": "service_status", "document": ["status": "splendid"]],
                    ["kind": "weather", "document": [:]],
                    ["kind": "backup", "document": [:]],
                ] {
                    let code = await Self.code { try await Self.ask(fixture, "report", payload) }
                    #expect(code == "invalid_argument")
                }
            }
        }
    }

    @Test("a report that comes too often is refused")
    func tooOften() async throws {
        try await AgentFixture.run { (fixture) async throws in
            try await fixture.withAgent { (_) async throws in
                var refused = 0
                for _ in 0..<60 {
                    let code = await Self.code {
                        try await Self.ask(fixture, "report", ["kind": "root_enabled", "document": [:]])
                    }
                    if code == "exhausted" { refused += 1 }
                }
                #expect(refused > 0 && refused < 60)
            }
        }
    }
}

@Suite("values in files")
struct FileKeyValueStoreTests {
    private static func code(_ body: () throws(PluginError) -> some Any) -> PluginError.Code? {
        do throws(PluginError) {
            _ = try body()
            return nil
        } catch { return error.code }
    }

    @Test("revisions only grow, also over removals and restarts")
    func revisions() async throws {
        try await withTemporaryDirectory { path in
            let store = FileKeyValueStore(directory: path + "/values")
            let first = try store.put("a", [1], expected: .absent, of: "p")
            #expect(
                Self.code { () throws(PluginError) in try store.put("a", [2], expected: .absent, of: "p") }
                    == .preconditionFailed)
            #expect(
                Self.code { () throws(PluginError) in try store.put("b", [2], expected: .exactly(1), of: "p") }
                    == .preconditionFailed)
            let second = try store.put("a", [2], expected: .exactly(first), of: "p")
            try store.remove("a", expected: .exactly(second), of: "p")
            try store.remove("a", expected: .any, of: "p")
            #expect(try store.value("a", of: "p") == nil)
            let next = FileKeyValueStore(directory: path + "/values")
            #expect(try next.put("a", [3], expected: .absent, of: "p") > second)
            #expect(try next.value("a", of: "p")?.value == [3])
            #expect(try next.value("a", of: "q") == nil)
        }
    }

    @Test("keys are any text, lists have pages, and what a crash left behind is put right")
    func leftovers() async throws {
        try await withTemporaryDirectory { path in
            let store = FileKeyValueStore(directory: path + "/values")
            let keys = ["..", "/etc/passwd", "a/b", "a\\b", "k\"q", String(repeating: "x", count: 255)]
            for key in keys { _ = try store.put(key, Array(key.utf8), expected: .absent, of: "p") }
            // An agent that ended between the new value and the end of the old one, and one in the middle of a write.
            let newer = path + "/values/p/99"
            try "\"..\"\nnewer".write(toFile: newer, atomically: false, encoding: .utf8)
            try "half".write(toFile: path + "/values/p/100.new", atomically: false, encoding: .utf8)
            let next = FileKeyValueStore(directory: path + "/values")
            #expect(try next.value("..", of: "p") == StoredValue(value: Array("newer".utf8), revision: 99))
            for key in keys.dropFirst() { #expect(try next.value(key, of: "p")?.value == Array(key.utf8)) }
            var seen: [String] = []
            var range = NameRange(limit: 2)
            repeat {
                let page = try next.list(range, of: "p")
                seen += page.items.map(\.key)
                range.after = page.next
            } while range.after != nil
            #expect(seen == keys.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
            #expect(try next.list(NameRange(prefix: "a"), of: "p").items.map(\.key) == ["a/b", "a\\b"])
        }
    }
}
