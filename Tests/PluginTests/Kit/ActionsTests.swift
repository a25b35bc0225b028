// SPDX-License-Identifier: Apache-2.0

import CTrovePlugin
import Testing
import TrovePluginKit

/// Calls actions of `KitPlugin` as the host does.
enum KitCall {
    private typealias Packed =
        @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafePointer<trove_value_1>?, UInt32) -> trove_status

    static func item(_ index: Int) throws -> trove_action_1 {
        let actions = try KitPlugin.table(TROVE_EXT_ACTIONS, trove_actions_1.self)
        guard index < Int(actions.count), let items = actions.items else { throw TestProblem("no action \(index)") }
        return items[index]
    }

    @discardableResult
    static func run(_ index: Int, _ values: [trove_value_1] = [], in call: TestCall = TestCall()) throws -> JSON? {
        let item = try item(index)
        let function = unsafeBitCast(item.fn, to: Packed.self)
        return try call.run { token, _ in
            values.withUnsafeBufferPointer { function(token, item.user, $0.baseAddress, UInt32($0.count)) }
        }
    }
}

extension trove_value_1 {
    init(_ type: some BinaryInteger, _ change: (inout trove_value_1) -> Void = { _ in }) {
        self.init()
        self.type = UInt32(type)
        present = 1
        change(&self)
    }

    var absent: trove_value_1 {
        var copy = trove_value_1()
        copy.type = type
        return copy
    }
}

@Suite("The kit's actions")
struct ActionsTests {
    private static func values(_ call: TestCall) -> [trove_value_1] {
        [
            trove_value_1(TROVE_T_BOOL) { $0.v.i32 = 1 }, trove_value_1(TROVE_T_I32) { $0.v.i32 = .min },
            trove_value_1(TROVE_T_I64) { $0.v.i64 = .min }, trove_value_1(TROVE_T_U64) { $0.v.u64 = .max },
            trove_value_1(TROVE_T_F64) { $0.v.f64 = -0.5 },
            trove_value_1(TROVE_T_STR) { $0.v.str = call.lend(Array("a\0ü".utf8)) },
            trove_value_1(TROVE_T_BYTES) { $0.v.str = call.lend([0, 255, 128] as [UInt8]) },
            trove_value_1(TROVE_T_JSON) { $0.v.str = call.lend(["x": [.null]] as JSON) },
        ]
    }

    @Test("are declared as the header says")
    func table() throws {
        let item = try KitCall.item(0)
        #expect(item.size == UInt32(MemoryLayout<trove_action_1>.size) && item.timeout_s == 7 && item.arg_count == 8)
        #expect(item.flags == UInt32(TROVE_ACTION_PACKED | TROVE_ACTION_READ_ONLY))
        #expect((0..<8).map { item.args[$0].type } == (1...8).map { UInt32($0) })
        let optional = try KitCall.item(1)
        #expect(optional.args[4].flags == UInt32(TROVE_ARG_OPTIONAL))
        #expect(optional.args[5].flags == UInt32(TROVE_ARG_OPTIONAL | TROVE_ARG_SECRET))
        #expect(String(cString: optional.args[5].name) == "text")
        #expect(try KitCall.item(2).args == nil)
    }

    @Test("get a value of each type")
    func types() throws {
        let call = TestCall()
        let shown = try KitCall.run(0, Self.values(call), in: call)
        #expect(
            shown == [
                "flag": true, "small": -2_147_483_648, "large": .int(.min), "unsigned": "18446744073709551615",
                "real": .double(-0.5), "text": "a\0ü", "bytes": [0, 255, 128], "document": ["x": [.null]],
            ])
    }

    @Test("get nil for what is absent, one by one")
    func absence() throws {
        let call = TestCall()
        #expect(try KitCall.run(1, Self.values(call), in: call) == .array(Array(repeating: true, count: 8)))
        for index in 0..<8 {
            let call = TestCall()
            var values = Self.values(call)
            values[index] = values[index].absent
            let there = (0..<8).map { JSON.bool($0 != index) }
            #expect(try KitCall.run(1, values, in: call) == .array(there))
        }
    }

    @Test("refuse values that the host must not send")
    func hostileHost() throws {
        func failure(_ change: (inout [trove_value_1]) -> Void) -> CallFailure? {
            let call = TestCall()
            var values = Self.values(call)
            change(&values)
            do {
                try KitCall.run(0, values, in: call)
                return nil
            } catch { return error as? CallFailure }
        }
        let missing = failure { $0[5] = $0[5].absent }
        #expect(
            missing?.status == trove_status(TROVE_INVALID_ARGUMENT) && missing?.message == "argument 'text' is missing")
        let other = failure { $0[1] = $0[2] }
        #expect(
            other?.status == trove_status(TROVE_INVALID_ARGUMENT)
                && other?.message == "argument 'small' came with another type")
        let few = failure { $0.removeLast() }
        #expect(few?.status == trove_status(TROVE_INTERNAL) && few?.message == "the host gave 7 arguments")
    }

    @Test("end the process when parameters and arguments differ")
    func mismatches() async {
        await #expect(processExitsWith: .failure) {
            _ = Action("odd", "", Arg("count", .int64)) { (_, _: Int32) in }
        }
        await #expect(processExitsWith: .failure) { _ = Action("odd", "", Arg("count", .int64)) { _ in } }
        await #expect(processExitsWith: .failure) { _ = Action("odd", "") { (_, _: String) in } }
        await #expect(processExitsWith: .success) {
            _ = Action("even", "", Arg("count", .int64), Arg("note", .string)) { (_, _: Int64, _: String?) in }
        }
    }
}
