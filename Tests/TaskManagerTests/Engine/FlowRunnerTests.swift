// SPDX-License-Identifier: Apache-2.0

import Model
import StateStore
import TaskManager
import TestSupport
import Testing

@Suite("FlowRunner")
struct FlowRunnerTests {
    private func runner(
        _ fixture: EngineFixture, _ flow: ThreeStepFlow, passed: @Sendable @escaping (CrashPoint) -> Void = { _ in }
    ) -> FlowRunner {
        FlowRunner(services: fixture.services, logger: fixture.logger, flows: [flow], passed: passed)
    }

    @Test("steps run in order, the ledger first, and the end is one transaction")
    func runsToTheEnd() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let trace = Trace()
        let record = try #require(try await fixture.claim())
        await runner(fixture, ThreeStepFlow(trace: trace)).run(record)
        #expect(trace.words == ["first", "second ledger=1 left=by first", "third"])
        #expect(try await fixture.journal("op-i1")?.state == .done)
        #expect(try await fixture.instance("i1")?.task == InstanceTask.none)
    }

    @Test("a retryable failure is tried again at the same step, later")
    func retries() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let trace = Trace()
        let flow = ThreeStepFlow(trace: trace) { [trace] _ in
            if trace.words.filter({ $0.hasPrefix("second") }).count < 3 { throw FlowError("busy", isRetryable: true) }
        }
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(120))
            let record = try #require(try await fixture.claim())
            await runner(fixture, flow).run(record)
        }
        #expect(trace.words.filter { $0 == "first" }.count == 1, "a step that is done does not run again")
        #expect(trace.words.last == "third")
        #expect(try await fixture.journal("op-i1")?.state == .done)
    }

    @Test("a retryable failure ends the flow after the last attempt")
    func givesUp() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let flow = ThreeStepFlow(trace: Trace()) { _ in throw FlowError("still busy", isRetryable: true) }
        for _ in 0..<5 {
            fixture.clock.advance(by: .seconds(120))
            let record = try #require(try await fixture.claim())
            await runner(fixture, flow).run(record)
        }
        #expect(try await fixture.journal("op-i1")?.state == .failed)
        #expect(try await fixture.instance("i1")?.task == .buildingErrorVolume)
    }

    @Test("a failure that is not retryable undoes, names its status and leaves a fault")
    func fails() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let trace = Trace()
        let record = try #require(try await fixture.claim())
        await runner(fixture, ThreeStepFlow(trace: trace) { _ in throw FlowError("no room") }).run(record)
        #expect(trace.words.last == "undo second")
        #expect(try await fixture.journal("op-i1")?.error == "no room")
        let fault = try await fixture.store.read { try $0.faults.find(instanceID: "i1") }
        #expect(fault?.message == "no room")
    }

    @Test("after a crash the recorded step runs again, with what earlier steps left")
    func resumes() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let trace = Trace()
        let first = try #require(try await fixture.claim())
        // The process dies in the second step: its task is cancelled and nothing is recorded any more.
        let task = Task {
            let flow = ThreeStepFlow(trace: trace) { _ in try await Task.sleep(for: .seconds(60)) }
            await runner(fixture, flow).run(first)
        }
        while !trace.words.contains(where: { $0.hasPrefix("second") }) { await Task.yield() }
        task.cancel()
        await task.value
        fixture.clock.advance(by: .seconds(31))
        let second = try #require(try await fixture.claim())
        #expect(second.step == "second" && !second.stepIsDone)
        #expect(second.fence > first.fence)
        await runner(fixture, ThreeStepFlow(trace: trace)).run(second)
        #expect(trace.words == ["first", "second ledger=1 left=by first", "second ledger=1 left=by first", "third"])
    }

    @Test("a task manager that lost its lease writes nothing more")
    func fenced() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let trace = Trace()
        let old = try #require(try await fixture.claim())
        fixture.clock.advance(by: .seconds(31))
        let new = try #require(try await fixture.claim())
        await runner(fixture, ThreeStepFlow(trace: trace)).run(old)
        #expect(trace.words.isEmpty)
        #expect(try await fixture.journal("op-i1")?.fence == new.fence)
        #expect(try await fixture.journal("op-i1")?.state == .running)
    }

    @Test("every step has its three crash points, in order")
    func crashPoints() async throws {
        let fixture = try EngineFixture()
        try await fixture.instance("i1", task: .rebooting, flow: .restartInstance)
        let trace = Trace()
        let record = try #require(try await fixture.claim())
        let seen = Trace()
        await runner(fixture, ThreeStepFlow(trace: trace)) { seen.add("\($0.step)/\($0.moment.rawValue)") }.run(record)
        let expected = ["first", "second", "third"].flatMap { step in
            ["before_effect", "after_effect", "after_record"].map { "\(step)/\($0)" }
        }
        #expect(seen.words == expected)
        #expect(Set(FlowCatalogue.crashPoints).count == FlowCatalogue.crashPoints.count)
        #expect(FlowCatalogue.crashPoints.allSatisfy { CrashPoint($0.description) == $0 })
        #expect(CrashPoint("create_instance/nowhere/before_effect") == nil)
    }
}
