// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Model
import ObjectStore
import TestSupport
import Testing

@testable import GuestAgent

/// Increments: what the strategy is told, and what becomes of a chain with a broken link.
@Suite struct IncrementTests {
    private static let ids = ["c-0", "c-1", "c-2"]

    /// A full backup and two increments, each with one database more.
    private func chain(_ fixture: AgentFixture) async throws -> [BackupInfo] {
        var chain: [BackupInfo] = []
        try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
            #expect(try await fixture.prepare())
            for (index, id) in Self.ids.enumerated() {
                var info = fixture.backupInfo(id)
                if let parent = chain.last {
                    try "x".write(
                        toFile: fixture.instance.root + "/data/db/later\(index)", atomically: true, encoding: .utf8)
                    info.parent = ["id": .string(parent.id), "position": parent.position]
                }
                let report = try await BackupTests.backUp(fixture, info)
                #expect(report.state == .completed, "\(report.message ?? "")")
                info.position = report.position ?? .null
                info.checksum = report.checksum
                chain.append(info)
            }
        }
        return chain
    }

    private func request(_ chain: [BackupInfo]) throws -> JSONValue {
        var info = try #require(chain.last)
        info.parents = Array(chain.dropLast())
        return info.json
    }

    /// Restores into a new instance that shares the object store of `other`.
    private func restore(
        _ request: JSONValue, from other: AgentFixture, _ judge: @escaping (AgentFixture) async throws -> Void
    ) async throws {
        let objects = other.instance.configuration.objectStoreDirectory
        try await AgentFixture.run { document in
            document.merging(["object_store": ["directory": .string(objects)]]) { $1 }
        } _: { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                var arguments = fixture.prepareArguments(backup: request)
                arguments.databases = []
                try await fixture.guest.prepare(fixture.id, arguments, context: fixture.context)
                try await judge(fixture)
            }
        }
    }

    @Test("a chain is unpacked in order, and the strategy is told where each part ends and begins")
    func restoresChain() async throws {
        try await AgentFixture.run { fixture in
            let chain = try await chain(fixture)
            #expect(chain.map(\.position) == [["files": 1], ["files": 2], ["files": 3]])
            try await restore(try request(chain), from: fixture) { (restored: AgentFixture) async throws -> Void in
                #expect(try await restored.reports(.healthy))
                for name in ["first", "later1", "later2", "../post-restored"] {
                    #expect(restored.instance.exists("data/db/" + name), "\(name)")
                }
                let told = try (restored.instance.content("run/restores") ?? "").split(separator: "\n")
                    .map { try JSONValue(parsing: String($0)) }
                #expect(
                    told == [
                        ["type": "full", "memory_mb": 64, "position": ["files": 1], "more": true],
                        [
                            "type": "incremental", "memory_mb": 64, "position": ["files": 2], "parent": ["files": 1],
                            "more": true,
                        ],
                        ["type": "incremental", "memory_mb": 64, "position": ["files": 3], "parent": ["files": 2]],
                    ])
            }
        }
    }

    @Test("a chain with a missing, damaged or foreign part is named by it, and leaves nothing", arguments: 0...5)
    func refusesBrokenChain(_ kind: Int) async throws {
        try await AgentFixture.run { fixture in
            var chain = try await chain(fixture)
            let store = BackupTests.store(fixture)
            var words = ["c-1"]
            switch kind {
            case 0: try store.delete("project/c-1")
            case 1:
                let path = fixture.instance.configuration.objectStoreDirectory + "/project/c-1"
                var content = try #require(try FileAccess.read(path))
                content[content.count - 3] ^= 1
                try FileAccess.write(content, to: path)
            case 2: chain[1].location = chain[2].location
            case 3:
                chain.remove(at: 0)
                words = ["c-1", "adds to c-0"]
            case 4:
                chain.remove(at: 1)
                words = ["c-2", "adds to c-1"]
            default:
                chain.removeFirst(2)
                words = ["c-2", "adds to c-1"]
            }
            try await restore(try request(chain), from: fixture) { (restored: AgentFixture) async throws -> Void in
                #expect(try await restored.reports(.failedToSpawn))
                #expect(
                    try await eventually {
                        let message = await restored.conductor.faults.last?.message ?? ""
                        return words.allSatisfy(message.contains)
                    })
                #expect(FileAccess.names(in: restored.instance.root + "/data") == [])
            }
        }
    }
}
