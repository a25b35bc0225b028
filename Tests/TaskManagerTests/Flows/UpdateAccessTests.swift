// SPDX-License-Identifier: Apache-2.0

import Compute
import Model
import StateStore
import Synchronization
import TestSupport
import Testing

@testable import TaskManager

/// Compute that enforces everything but what it is told to refuse.
private final class FilteringCompute: PartialCompute {
    private let refused: Set<String>
    private let seen = Mutex<[[String]]>([])

    init(refusing refused: Set<String> = []) { self.refused = refused }

    var told: [[String]] { seen.withLock { $0 } }

    func accessResources(for instanceID: String) -> [ComputeResource] {
        [ComputeResource(kind: "filter", tag: instanceID, ownerID: instanceID)]
    }
    func setAccess(_ instanceID: String, allowed: [String]) async throws(ComputeError) {
        guard refused.isDisjoint(with: allowed) else { throw ComputeError(.unsupported, "no nft") }
        seen.withLock { $0.append(allowed) }
    }
}

@Suite("The flow on access rules")
struct UpdateAccessTests {
    private static func access(_ networks: [String]) -> JSONValue {
        ["is_public": false, "allowed_cidrs": .array(networks.map(JSONValue.string))]
    }

    /// Runs the flow on an instance whose row has `networks` already, and had `before`.
    private func run(
        _ networks: [String], before: [String], on compute: FilteringCompute, task: InstanceTask = .updating,
        waits: Bool = false
    ) async throws -> (instance: InstanceRecord?, fault: String?, owned: Int) {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: task)
        let now = fixture.clock.now
        try await fixture.store.write(.relaxed) { transaction in
            var instance = try #require(try transaction.instances.find("i1"))
            instance.access = Self.access(networks)
            _ = try transaction.instances.save(instance, now: now)
            try transaction.instances.setServer(
                "i1", serverID: "i1", status: .active, address: "127.20.0.1", now: now)
            try transaction.journal.insert(
                JournalRecord(
                    id: "op", requestID: "req-1", projectID: "p", userID: "u", flow: FlowName.updateAccess.rawValue,
                    resourceID: "i1",
                    input: [
                        "instance_id": "i1", "access": Self.access(networks), "previous": Self.access(before),
                        "was_restart_required": .bool(waits),
                    ], created: now))
        }
        var services = fixture.services
        services.compute = compute
        let row = try #require(try await fixture.claim())
        await FlowRunner(services: services, logger: fixture.logger, flows: [UpdateAccessFlow()]).run(row)
        return try await fixture.store.read { transaction in
            (
                try transaction.instances.find("i1"), try transaction.faults.find(instanceID: "i1")?.message,
                try transaction.ledger.owned(by: "i1").count
            )
        }
    }

    @Test("rules are enforced and owned; everybody needs none")
    func enforces() async throws {
        let compute = FilteringCompute()
        let (closed, _, owned) = try await run(["10.0.0.0/8"], before: [], on: compute)
        #expect(closed?.task == InstanceTask.none && owned == 1)
        let (open, fault, left) = try await run([], before: ["10.0.0.0/8"], on: compute, waits: true)
        #expect(open?.task == .restartRequired && fault == nil && left == 0)
        #expect(compute.told == [["10.0.0.0/8"], []])
    }

    @Test("rules that are refused leave those before, with a fault that says why")
    func refused() async throws {
        let compute = FilteringCompute(refusing: ["10.0.0.0/8"])
        let (instance, fault, owned) = try await run(["10.0.0.0/8"], before: [], on: compute)
        #expect(instance?.task == InstanceTask.none && instance?.access == Self.access([]))
        #expect(fault == "The access rules could not be changed: no nft")
        #expect(owned == 0 && compute.told == [[]])
    }

    @Test("when those before cannot be enforced either, the instance says so")
    func lost() async throws {
        let compute = FilteringCompute(refusing: ["10.0.0.0/8", "11.0.0.0/8"])
        let (instance, fault, _) = try await run(["10.0.0.0/8"], before: ["11.0.0.0/8"], on: compute)
        #expect(instance?.task == .updatingErrorAccess && fault != nil)
    }

    @Test("an instance that is being deleted is left alone")
    func leaves() async throws {
        let compute = FilteringCompute()
        let (instance, _, _) = try await run(["10.0.0.0/8"], before: [], on: compute, task: .deleting)
        #expect(instance?.task == .deleting && compute.told.isEmpty)
    }
}
