// SPDX-License-Identifier: Apache-2.0

import Calls
import Messaging
package import Model
package import StateStore

/// Gives the instances that have a module its contents as they are by now, in batches with pauses between them.
///
/// Whom it was given to is recorded at once, so a repeat after a crash goes on with the others; only with `force`, which is for
/// everybody, some get the same contents twice.
package struct ReapplyModuleFlow: Flow {
    package static let name = FlowName.reapplyModule

    package init() {}

    package var steps: [FlowStep] { [FlowStep("apply", deadline: .seconds(24 * 3600), run: Self.apply)] }
    package var maximumAttempts: Int? { 3 }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {}

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {}

    private static let defaultBatch = 50

    private static func apply(_ run: FlowRun) async throws {
        let id = try run.inputText("module_id")
        let store = run.services.store
        guard let module = try await store.read({ try $0.modules.find(id) }) else {
            throw FlowError("Module \(id) does not exist any more.")
        }
        let (only, isForced) = (run.input["md5"]?.stringValue, run.input["force"]?.boolValue ?? false)
        let size = run.input["batch_size"]?.intValue ?? 0
        let pause = Duration.seconds(run.input["batch_delay"]?.intValue ?? 0)
        var marker: String?
        var (done, failures) = (0, [String]())
        while true {
            let page = try await store.read { [marker] in
                try $0.modules.instances(id, after: marker, limit: Self.defaultBatch)
            }
            guard let last = page.last else { break }
            marker = last.id
            for instance in page {
                guard only == nil || only == instance.md5, isForced || instance.md5 != module.md5 else { continue }
                if size > 0, done > 0, done % size == 0, pause > .zero { try await Task.sleep(for: pause) }
                done += 1
                if let failure = await ModuleStep.apply([module], to: instance.id, run) {
                    failures.append("\(instance.id): \(failure)")
                }
            }
        }
        guard let first = failures.first else { return }
        throw FlowError(
            "The module \(id) could not be applied to \(failures.count) of \(done) instances, such as \(first)",
            isRetryable: true)
    }
}

/// Applies modules to one instance and records those that were.
enum ModuleStep {
    /// - Returns: Why some were not; nil when all were.
    static func apply(_ modules: [ModuleRecord], to instanceID: String, _ run: FlowRun) async -> String? {
        let (services, context) = (run.services, run.context)
        do {
            let reply = try await services.guests.call(
                instanceID, .moduleApply, ["modules": .array(modules.map(\.request))], context: context)
            let results = reply.arrayValue ?? []
            let applied = Set(results.filter { $0["status"] == "OK" }.compactMap { $0["id"]?.stringValue })
            let now = services.clock.now
            try await services.store.write(.durable) { transaction in
                guard try transaction.instances.find(instanceID) != nil else { return }
                for module in modules where applied.contains(module.id) {
                    try transaction.modules.put(module.id, instanceID: instanceID, md5: module.md5, now: now)
                }
            }
            let refused = results.first { $0["status"] != "OK" }
            return refused.map { "\($0["name"]?.stringValue ?? ""): \($0["message"]?.stringValue ?? "")" }
        } catch let error as MessagingError {
            return error.failure?.message ?? error.message
        } catch {
            return "\(error)"
        }
    }

    /// The step of a create: what was asked for, and what new instances get by themselves. An instance without them still serves, so
    /// a refusal is told as its fault and does not fail it.
    static func applyToNew(_ run: FlowRun) async throws {
        let ids = (run.input["modules"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard !ids.isEmpty else { return }
        let id = try run.inputText("instance_id")
        let modules = try await run.services.store.read { transaction in
            try ids.compactMap { try transaction.modules.find($0) }.sorted(by: ModuleRecord.precedes)
        }
        guard !modules.isEmpty, let failure = await apply(modules, to: id, run) else { return }
        let now = run.services.clock.now
        try await run.services.store.write(.relaxed) { transaction in
            try transaction.faults.save(
                FaultRecord(
                    instanceID: id, message: String("A module was not applied: \(failure)".prefix(255)), details: nil,
                    created: now))
        }
    }
}
