// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import StateStore

@Suite("Secrets in the store")
struct SecretRepositoryTests {
    private static func secret(_ id: String, project: String = "project-a", after seconds: Int = 0) -> SecretRecord {
        var record = SecretRecord(
            id: id, projectID: project, type: "certificate", creatorID: "user-a",
            created: Fixture.start + .seconds(seconds))
        record.name = "name of \(id)"
        return record
    }

    private static func container(_ id: String, _ members: [SecretContainerRecord.Member]) -> SecretContainerRecord {
        var record = SecretContainerRecord(
            id: id, projectID: "project-a", name: "name of \(id)", type: "generic", creatorID: "user-a",
            created: Fixture.start)
        record.members = members
        return record
    }

    @Test("a secret keeps what it is made of, gets its payload once, and is gone", arguments: Driver.allCases)
    func life(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let secrets = transaction.secrets
                var full = Self.secret("full")
                full.algorithm = "aes"
                full.mode = "cbc"
                full.bitLength = 256
                full.expires = Fixture.start + .seconds(60)
                full.contentType = "text/plain"
                full.payload = "AQID"
                try secrets.insert(full)
                #expect(try secrets.find("full") == full)
                var bare = Self.secret("bare")
                bare.name = nil
                try secrets.insert(bare)
                let later = Fixture.start + .seconds(5)
                try secrets.setPayload("bare", contentType: "text/plain", payload: "BBBB", now: later)
                let filled = try secrets.find("bare")
                #expect(filled?.payload == "BBBB" && filled?.contentType == "text/plain" && filled?.updated == later)
                #expect {
                    try secrets.setPayload("bare", contentType: "text/plain", payload: "CCCC", now: later)
                } throws: {
                    has(.conflict)($0)
                }
                #expect(try secrets.find("bare")?.payload == "BBBB")
                #expect {
                    try secrets.setPayload("none", contentType: "text/plain", payload: "CCCC", now: later)
                } throws: {
                    has(.notFound)($0)
                }
                try secrets.remove("bare")
                #expect(try secrets.find("bare") == nil)
                #expect { try secrets.remove("bare") } throws: { has(.notFound)($0) }
            }
        }
    }

    @Test("pages are a project's, oldest first, by name, without what has expired", arguments: Driver.allCases)
    func pages(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let secrets = transaction.secrets
                for (number, id) in ["c", "b", "a"].enumerated() { try secrets.insert(Self.secret(id, after: number)) }
                try secrets.insert(Self.secret("other", project: "project-b"))
                var old = Self.secret("old")
                old.expires = Fixture.start + .seconds(10)
                try secrets.insert(old)
                let now = Fixture.start + .seconds(10)
                func ids(_ name: String?, _ offset: Int, _ limit: Int) throws -> [String] {
                    try secrets.page(
                        projectID: "project-a", SecretFilter(name: name), now: now, offset: offset, limit: limit
                    ).map(\.id)
                }
                #expect(try ids(nil, 0, 10) == ["c", "b", "a"])
                #expect(try ids(nil, 1, 1) == ["b"])
                #expect(try ids(nil, 3, 1).isEmpty)
                #expect(try ids("name of a", 0, 10) == ["a"])
                #expect(try ids("name of other", 0, 10).isEmpty)
                #expect(try secrets.count(projectID: "project-a", SecretFilter(), now: now) == 3)
                #expect(try secrets.count(projectID: "project-a", SecretFilter(), now: Fixture.start) == 4)
                #expect(try secrets.count(projectID: "project-a", SecretFilter(name: "name of b"), now: now) == 1)
                var key = Self.secret("key")
                (key.type, key.algorithm, key.mode, key.bitLength) = ("symmetric", "aes", "cbc", 256)
                try secrets.insert(key)
                func count(_ change: (inout SecretFilter) -> Void) throws -> Int {
                    var filter = SecretFilter()
                    change(&filter)
                    return try secrets.count(projectID: "project-a", filter, now: now)
                }
                #expect(try count { $0.type = "symmetric" } == 1 && count { $0.type = "certificate" } == 3)
                #expect(try count { $0.algorithm = "aes" } == 1 && count { $0.algorithm = "des" } == 0)
                #expect(try count { $0.mode = "cbc" } == 1 && count { $0.bitLength = 256 } == 1)
                #expect(try count { ($0.mode, $0.bitLength) = ("cbc", 128) } == 0)
                try secrets.removeExpired(projectID: "project-b", now: now)
                #expect(try secrets.find("old") != nil)
                try secrets.removeExpired(projectID: "project-a", now: now)
                #expect(try secrets.find("old") == nil && secrets.find("a") != nil)
            }
        }
    }

    @Test("a container has its secrets by name; one that is removed leaves it", arguments: Driver.allCases)
    func containers(driver: Driver) async throws {
        try await Fixture.with(driver) { fixture in
            try await fixture.store.write(.relaxed) { transaction in
                let secrets = transaction.secrets
                for id in ["s1", "s2"] { try secrets.insert(Self.secret(id)) }
                let members = [
                    SecretContainerRecord.Member(name: "certificate", secretID: "s2"),
                    SecretContainerRecord.Member(name: "private_key", secretID: "s1"),
                ]
                try secrets.insertContainer(Self.container("c1", members))
                try secrets.insertContainer(Self.container("c2", []))
                #expect(try secrets.container("c1") == Self.container("c1", members))
                #expect(try secrets.container("c2")?.members == [])
                #expect(try secrets.container("c3") == nil)
                func ids(_ name: String?, _ type: String?, limit: Int = 9, offset: Int = 0) throws -> [String] {
                    try secrets.containers(
                        projectID: "project-a", name: name, type: type, offset: offset, limit: limit
                    ).map { "\($0.id)/\($0.members.count)" }
                }
                #expect(try ids(nil, nil) == ["c1/2", "c2/0"])
                // The limit is of containers, whatever is in them.
                #expect(try ids(nil, nil, limit: 1) == ["c1/2"] && ids(nil, nil, limit: 1, offset: 1) == ["c2/0"])
                #expect(try ids("name of c2", "generic") == ["c2/0"] && ids(nil, "certificate").isEmpty)
                #expect(try secrets.countContainers(projectID: "project-a", name: nil, type: "generic") == 2)
                #expect(try secrets.countContainers(projectID: "project-b", name: nil, type: nil) == 0)
                try secrets.remove("s2")
                #expect(try secrets.container("c1")?.members == [members[1]])
                try secrets.removeContainer("c1")
                #expect(try secrets.container("c1") == nil && secrets.find("s1") != nil)
                #expect { try secrets.removeContainer("c1") } throws: { has(.notFound)($0) }
            }
            await #expect {
                try await fixture.store.write(.relaxed) {
                    try $0.secrets.insertContainer(Self.container("c4", [.init(name: "a", secretID: "nowhere")]))
                }
            } throws: {
                has(.notFound)($0)
            }
            #expect(try await fixture.store.read { try $0.secrets.container("c4") } == nil)
        }
    }
}
