// SPDX-License-Identifier: Apache-2.0

import Messaging
import Model
import Notifications
import StateStore
import TestSupport
import Testing

@testable import TaskManager

@Suite("PeriodicReport")
struct PeriodicReportTests {
    private func exists(_ telling: TellingFixture) throws -> PeriodicReport {
        try #require(PeriodicReport.exists(telling.services, logger: telling.fixture.logger))
    }

    private func telling(_ instances: Int) async throws -> TellingFixture {
        let telling = try TellingFixture {
            $0.existsInterval = .seconds(3600)
            $0.quotaInterval = .seconds(3600)
            $0.quotaDefaults = ["instances": 10]
        }
        for number in 0..<instances {
            try await telling.fixture.instance("i\(100 + number)", task: .none)
            try await telling.fixture.store.write(.relaxed) { [now = telling.fixture.clock.now] transaction in
                try transaction.instances.setServer(
                    "i\(100 + number)", serverID: "s", status: .active, address: nil, now: now)
            }
        }
        telling.fixture.clock.advance(by: .seconds(3600))
        return telling
    }

    @Test("each instance is told of once a period, whoever reports")
    func once() async throws {
        let telling = try await telling(3)
        for _ in 0..<3 { try await exists(telling).report() }
        #expect(Set(telling.recorder.sent.map(\.payload["instance_id"])) == ["i100", "i101", "i102"])
        #expect(telling.recorder.sent.count == 3)
        let payload = try #require(telling.recorder.sent.first).payload
        #expect(payload["audit_period_beginning"] == "2020-09-13T12:00:00Z")
        #expect(payload["audit_period_ending"] == "2020-09-13T13:00:00Z")
        telling.fixture.clock.advance(by: .seconds(3600))
        try await exists(telling).report()
        #expect(telling.recorder.sent.count == 6)
        telling.fixture.clock.advance(by: .seconds(-3600))
        try await exists(telling).report()
        #expect(telling.recorder.sent.count == 6, "a clock that was set back repeats nothing")
    }

    @Test("an instance that the period has not seen, or that is going, is left out")
    func leftOut() async throws {
        let telling = try await telling(1)
        try await telling.fixture.instance("new", task: .none)
        try await telling.fixture.instance("going", task: .deleting)
        try await telling.fixture.store.write(.relaxed) { transaction in
            try transaction.instances.setServer(
                "going", serverID: nil, status: .shutdown, address: nil, now: Timestamp(microseconds: 0))
        }
        try await exists(telling).report()
        #expect(telling.recorder.sent.map(\.payload["instance_id"]) == ["i100"])
    }

    @Test("a report that broke off goes on, and what it repeats has the same id")
    func goesOn() async throws {
        let telling = try await telling(210)
        telling.recorder.leaveRoom(for: 205)
        await #expect(throws: MessagingError.self) { try await exists(telling).report() }
        telling.recorder.leaveRoom(for: .max)
        // Also when the next period has begun.
        telling.fixture.clock.advance(by: .seconds(3600))
        try await exists(telling).report()
        #expect(Set(telling.recorder.sent.map(\.id)).count == 210)
        #expect(telling.recorder.sent.count < 230, "no more than the broken page is repeated")
        #expect(Set(telling.recorder.sent.map(\.payload["audit_period_ending"])) == ["2020-09-13T13:00:00Z"])
        try await exists(telling).report()
        #expect(Set(telling.recorder.sent.map(\.id)).count == 420)
    }

    @Test("quotas are told of by project and resource")
    func quota() async throws {
        let telling = try await telling(2)
        let report = try #require(PeriodicReport.quota(telling.services, logger: telling.fixture.logger))
        for _ in 0..<2 { try await report.report() }
        #expect(telling.recorder.sent.count == 4)
        let rows = Dictionary(uniqueKeysWithValues: telling.recorder.sent.map { ($0.payload["resource"], $0.payload) })
        #expect(rows["instances"]?["in_use"] == 2)
        #expect(rows["instances"]?["limit"] == 10)
        #expect(rows["ram"]?["in_use"] == 1024)
        #expect(rows["volumes"]?["in_use"] == 2)
        #expect(rows["backups"]?["limit"] == -1)
        #expect(telling.recorder.sent.allSatisfy { $0.eventType == "dbaas.quota" && $0.context.projectID == "p" })
    }

    @Test("without an interval, and when nothing is told, there is no report")
    func none() throws {
        let telling = try TellingFixture()
        #expect(PeriodicReport.exists(telling.services, logger: telling.fixture.logger) == nil)
        #expect(PeriodicReport.quota(telling.fixture.services, logger: telling.fixture.logger) == nil)
    }
}
