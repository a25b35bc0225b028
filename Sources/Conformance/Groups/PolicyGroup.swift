// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model

/// A datastore's policy: pure functions that answer for each version of the manifest.
final class PolicyGroup {
    private let context: GroupContext
    private let targets: [Target]

    init(_ context: GroupContext, _ table: UnsafeRawPointer) {
        self.context = context
        let table = table.load(as: trove_datastore_policy_1.self)
        let version = context.order.datastore.version
        var targets: [Target] = []
        func add(
            _ name: String, _ function: (@convention(c) (OpaquePointer?, trove_str) -> trove_status)?,
            _ sample: JSONValue,
            needs: [String] = [], isStrict: Bool = false, _ reply: Reply
        ) {
            guard let function else { return }
            targets.append(
                Target("policy.\(name)", sample, needs: needs, isStrict: isStrict, reply: reply) { function($0, $1) })
        }
        add("requirements", table.requirements, ["version": .string(version)], needs: [], .schema("requirements"))
        add("validate_create", table.validate_create, PolicySamples.create(version), isStrict: true, .nothing)
        add(
            "render_configuration", table.render_configuration, PolicySamples.configuration(version), needs: [],
            .schema("configuration"))
        add("parameters", table.parameters, ["version": .string(version)], needs: [], .schema("parameters"))
        add(
            "validate_configuration", table.validate_configuration, ["version": .string(version), "values": [:]],
            needs: ["values"], .nothing)
        add(
            "plan_upgrade", table.plan_upgrade, ["from": .string(version), "to": .string(version)],
            needs: ["from", "to"],
            .schema("upgrade-plan"))
        self.targets = targets
    }

    var scenarios: [Scenario] {
        let caller = context.caller
        let sandbox = context.sandbox
        var list = targets.map { target in
            Scenario(check: "policy.answers", target: target.name) { try self.answers(target) }
        }
        list += targets.map { target in
            Scenario(check: "policy.pure", target: target.name) { try self.pure(target) }
        }
        list.append(Scenario(check: "policy.parameters", target: "policy.parameters") { try self.parameters() })
        list += InputChecks(caller: caller, strays: { sandbox.strays }).scenarios(targets)
        list += CallChecks(caller: caller).scenarios(targets)
        list.append(LeakChecks(caller: caller, repeats: context.order.repeats).scenario(targets, prefix: "policy"))
        return list
    }

    private func answers(_ target: Target) throws {
        for version in context.order.versions {
            var request = target.sample
            for key in ["version", "from", "to"] where request[key] != nil {
                request = request.replacing([key], with: .string(version))
            }
            let outcome = try target.call(context.caller, request)
            guard !outcome.isOK else { continue }
            ChildReporter.shared.fail(
                "policy.answers",
                "\(target.name) failed for version \(version), which plugin.json names (\(outcome.text)).")
        }
    }

    private func pure(_ target: Target) throws {
        let first = try target.call(context.caller, target.sample)
        let before = ThreadInput.read(context.caller)
        let second = try target.call(context.caller, target.sample)
        let after = ThreadInput.read(context.caller)
        let idle = ThreadInput.read(context.caller)
        if first.status != second.status || first.output != second.output {
            ChildReporter.shared.fail(
                "policy.pure", "\(target.name) answered the same request in two ways; it depends on the request alone.")
        }
        // What the measurement itself reads is in both differences.
        if after.calls - before.calls > idle.calls - after.calls {
            ChildReporter.shared.fail(
                "policy.pure",
                "\(target.name) reads or writes files; a policy does no I/O: compile in what it needs to know.")
        }
    }

    private func parameters() throws {
        guard let target = targets.first(where: { $0.name == "policy.parameters" }) else {
            return ChildReporter.shared.skip("policy.parameters", "The policy has no parameters.")
        }
        let document = try target.call(context.caller, target.sample).document
        var names: Set<String> = []
        for item in document?["parameters"]?.arrayValue ?? [] {
            let name = item["name"]?.stringValue ?? ""
            if name.isEmpty || !names.insert(name).inserted {
                ChildReporter.shared.fail("policy.parameters", "The parameter '\(name)' is empty or there twice.")
            }
            if let low = item["minimum"]?.doubleValue, let high = item["maximum"]?.doubleValue, low > high {
                ChildReporter.shared.fail("policy.parameters", "The parameter \(name) has a minimum above its maximum.")
            }
        }
    }
}

/// How many reading and writing system calls the worker has made. Source: proc_pid_io(5), of a thread.
struct ThreadInput {
    var calls: Int

    static func read(_ caller: Caller) -> ThreadInput {
        var text: [UInt8] = []
        _ = caller.worker.run(
            { text = FileTree.read("/proc/thread-self/io", limit: 4096) ?? [] }, interval: .seconds(1)
        ) { true }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        let numbers = lines.filter { $0.hasPrefix("syscr") || $0.hasPrefix("syscw") }.compactMap {
            $0.split(separator: " ").last.flatMap { Int($0) }
        }
        return ThreadInput(calls: numbers.reduce(0, +))
    }
}
