// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Model
import PluginHost

/// The operations that a plugin invents: with their samples, with every hostile value of the right type, and, through the
/// host's own check of arguments, with every wrong type.
final class ActionGroup {
    private let context: GroupContext
    private let calls: [ActionCall]

    init(_ context: GroupContext, _ table: UnsafeRawPointer) {
        self.context = context
        calls = (try? ActionList.calls(table.load(as: trove_actions_1.self), context.order)) ?? []
    }

    var scenarios: [Scenario] {
        let caller = context.caller
        var list: [Scenario] = []
        for call in calls {
            let name = "action \(call.declaration.name)"
            list += [
                Scenario(check: "actions.sample", target: name, limit: 60) { try self.samples(call) },
                Scenario(check: "actions.arguments", target: name) { self.wrongTypes(call) },
                Scenario(check: "actions.hostile", target: name, limit: 60) { try self.hostile(call) },
                Scenario(check: "actions.read-only", target: name) { try self.readOnly(call) },
            ]
        }
        let targets = calls.compactMap(sampleTarget)
        list += CallChecks(caller: caller).scenarios(targets)
        list.append(leaks(targets))
        return list
    }

    /// The arguments of the first sample, or of none.
    private func sampleValues(_ call: ActionCall) -> [ActionValue]? {
        for sample in call.declaration.samples {
            if let values = try? call.declaration.values(sample) { return values }
        }
        return try? call.declaration.values([:])
    }

    private func sampleTarget(_ call: ActionCall) -> Target? {
        guard let values = sampleValues(call) else { return nil }
        return Target("action \(call.declaration.name)", [:], reply: .any) { token, _ in
            Self.invoke(call, token, values)
        }
    }

    private static func invoke(_ call: ActionCall, _ token: OpaquePointer?, _ values: [ActionValue]) -> Int32 {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: ActionCall.memory(values) + 16, alignment: 16)
        defer { memory.deallocate() }
        return call.call(token, values, memory: memory)
    }

    private func run(_ call: ActionCall, _ values: [ActionValue], _ check: String) throws -> CallOutcome {
        try context.caller.call("action \(call.declaration.name)", [], check: check, plan: CallPlan(reply: .any)) {
            token, _ in
            Self.invoke(call, token, values)
        }
    }

    private func samples(_ call: ActionCall) throws {
        let declaration = call.declaration
        guard !declaration.samples.isEmpty else {
            return ChildReporter.shared.fail(
                "actions.sample",
                "The action \(declaration.name) has no samples in plugin.json; give arguments to call it with.")
        }
        for sample in declaration.samples {
            guard let values = try? declaration.values(sample) else { continue }
            let outcome = try run(call, values, "actions.sample")
            if outcome.status == Int32(TROVE_INVALID_ARGUMENT) || outcome.status == Int32(TROVE_INTERNAL)
                || outcome.status == Int32(TROVE_UNSUPPORTED)
            {
                ChildReporter.shared.fail(
                    "actions.sample",
                    "The action \(declaration.name) refuses its own sample \(sample.redacted.serializedText) (\(outcome.text))."
                )
            }
        }
    }

    /// The host's check stands before the plugin: nothing of a wrong type may get through it.
    private func wrongTypes(_ call: ActionCall) {
        let declaration = call.declaration
        let good = declaration.samples.first?.objectValue ?? [:]
        for argument in declaration.arguments {
            for value in Self.wrong(argument.type) {
                var members = good
                members[argument.name] = value
                if (try? declaration.values(.object(members))) != nil {
                    ChildReporter.shared.fail(
                        "actions.arguments",
                        "The action \(declaration.name) takes \(value.serializedText) as \(argument.name) of type \(argument.type.rawValue)."
                    )
                }
            }
        }
        if (try? declaration.values(.object(good.merging(["unknown_argument": 1]) { first, _ in first }))) != nil {
            ChildReporter.shared.fail(
                "actions.arguments", "The action \(declaration.name) takes an argument that it does not declare.")
        }
    }

    private static func wrong(_ type: ActionType) -> [JSONValue] {
        switch type {
        case .bool: [1, "true", [], [:]]
        case .i32: [true, "text", 1.5, 2_147_483_648, [], [:]]
        case .i64: [true, "text", 1.5, [], [:]]
        case .u64: [true, "text", -1, 1.5, [], [:]]
        case .f64: [true, [], [:]]
        case .str: [true, 1, 1.5, [], [:]]
        case .bytes: [true, 1, "not base64!", [], [:]]
        case .json: []
        }
    }

    private func hostile(_ call: ActionCall) throws {
        guard let good = sampleValues(call) else { return }
        for (index, argument) in call.declaration.arguments.enumerated() {
            for value in Self.hostile(argument) {
                var values = good
                values[index] = value
                _ = try run(call, values, "actions.hostile")
            }
        }
    }

    /// Values that the declaration allows, at their worst.
    private static func hostile(_ argument: ActionArgument) -> [ActionValue] {
        guard argument.allowed.isEmpty else { return [] }
        let absent: [ActionValue] = argument.isOptional && argument.type.isBorrowed ? [.absent] : []
        let limit = argument.maxBytes ?? ActionArgument.defaultMaxBytes
        let texts = (InputChecks.hostile + [String(repeating: "a", count: limit)]).map { Array($0.utf8) }.filter {
            $0.count <= limit
        }
        let secret = argument.isSecret ? [Array(Caller.secret.utf8)] : []
        switch argument.type {
        case .str: return absent + (texts + secret).map { .str($0) }
        case .bytes: return absent + (texts + [[0xFF, 0x00, 0xFE]] + secret).map { .bytes($0) }
        case .json:
            return absent
                + ["null", "[]", "{}", "\"a\"", "0", "[[[[[[[[]]]]]]]]", "{\"a\":{\"b\":null}}"].map {
                    .json(Array($0.utf8))
                }
        default: return numbers(argument).compactMap { try? argument.value($0) }
        }
    }

    private static func numbers(_ argument: ActionArgument) -> [JSONValue] {
        var numbers: [JSONValue] = [
            0, 1, -1, .int(Int64.max), .int(Int64.min), .int(Int64(Int32.max)), .int(Int64(Int32.min)), true, false,
            0.5, 1e300,
        ]
        if let low = argument.minimum { numbers.append(low) }
        if let high = argument.maximum { numbers.append(high) }
        return numbers
    }

    private func readOnly(_ call: ActionCall) throws {
        guard call.declaration.isReadOnly, let values = sampleValues(call) else { return }
        let first = try run(call, values, "actions.read-only")
        let second = try run(call, values, "actions.read-only")
        if first.status != second.status || (first.isOK && first.document?.shape != second.document?.shape) {
            ChildReporter.shared.fail(
                "actions.read-only",
                "The action \(call.declaration.name) says it changes nothing, and answers a repeat in another way.")
        }
    }

    private func leaks(_ targets: [Target]) -> Scenario {
        LeakChecks(caller: context.caller, repeats: context.order.repeats).scenario(targets, prefix: "actions")
    }
}

extension JSONValue {
    /// The value with numbers, times and the like taken out: what a repeat of a read must share.
    fileprivate var shape: JSONValue {
        switch self {
        case .object(let members): .object(members.mapValues(\.shape))
        case .array(let items): .array(items.first.map { [$0.shape] } ?? [])
        case .string: "text"
        case .int, .double: 0
        default: self
        }
    }
}
