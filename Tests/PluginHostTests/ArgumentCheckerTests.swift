// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Arguments of actions")
struct ArgumentCheckerTests {
    private func argument(_ type: ActionType, optional: Bool = false) -> ActionArgument {
        ActionArgument(
            name: "x", type: type, summary: "", isOptional: optional, isSecret: false, defaultValue: nil, allowed: [])
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var type: ActionType
        var given: JSONValue
        /// nil: refused.
        var value: ActionValue?
        var testDescription: String { "\(type) \(given.text)" }

        init(_ type: ActionType, _ given: JSONValue, _ value: ActionValue?) {
            self.type = type
            self.given = given
            self.value = value
        }
    }

    static let samples: [JSONValue] = [
        .null, true, 1, 1.5, "text", [1], ["k": 1],
    ]

    @Test(
        "values at and past the limits of each type",
        arguments: [
            Case(.bool, true, .bool(true)), Case(.bool, false, .bool(false)),
            Case(.i32, 2_147_483_647, .i32(.max)), Case(.i32, -2_147_483_648, .i32(.min)),
            Case(.i32, 2_147_483_648, nil), Case(.i32, -2_147_483_649, nil), Case(.i32, "2147483647", .i32(.max)),
            Case(.i32, "2147483648", nil), Case(.i32, "-0", nil), Case(.i32, "+1", nil), Case(.i32, "01", nil),
            Case(.i32, "1.0", nil), Case(.i32, "", nil), Case(.i32, " 1", nil), Case(.i32, "0x1", nil),
            Case(.i32, "0", .i32(0)), Case(.i32, "-1", .i32(-1)), Case(.i32, "-", nil), Case(.i32, 1.0, nil),
            Case(.i64, 9_007_199_254_740_992, .i64(1 << 53)), Case(.i64, 9_007_199_254_740_993, nil),
            Case(.i64, -9_007_199_254_740_992, .i64(-(1 << 53))), Case(.i64, -9_007_199_254_740_993, nil),
            Case(.i64, .int(.min), nil), Case(.i64, "9223372036854775807", .i64(.max)),
            Case(.i64, "-9223372036854775808", .i64(.min)), Case(.i64, "9223372036854775808", nil),
            Case(.i64, "99999999999999999999999", nil),
            Case(.u64, 0, .u64(0)), Case(.u64, -1, nil), Case(.u64, "-1", nil),
            Case(.u64, "18446744073709551615", .u64(.max)), Case(.u64, "18446744073709551616", nil),
            Case(.f64, 1.5, .f64(1.5)), Case(.f64, 3, .f64(3)), Case(.f64, .double(.infinity), nil),
            Case(.f64, .double(.nan), nil), Case(.f64, "1.5", nil),
            Case(.str, "", .str([])), Case(.str, "a\0b", .str([97, 0, 98])),
            Case(.bytes, "", .bytes([])), Case(.bytes, "AP8=", .bytes([0, 255])), Case(.bytes, "AP8", nil),
            Case(.bytes, "A P8=", nil), Case(.bytes, "AP9=", nil), Case(.bytes, "____", nil),
            Case(.json, .null, .json(Array("null".utf8))), Case(.json, ["a": 1], .json(Array("{\"a\":1}".utf8))),
        ])
    func values(_ item: Case) {
        #expect((try? argument(item.type).value(item.given)) == item.value)
    }

    @Test("every wrong kind of JSON is refused, naming the argument and not the value", arguments: ActionType.allCases)
    func wrongTypes(_ type: ActionType) {
        let right: [JSONValue] =
            switch type {
            case .bool: [true]
            case .i32, .i64, .u64: [1]
            case .f64: [1, 1.5]
            case .str: ["text"]
            case .bytes: ["text"]  // Four letters are base64.
            case .json: Self.samples
            }
        for sample in Self.samples {
            if right.contains(sample) {
                #expect(throws: Never.self) { _ = try argument(type).value(sample) }
            } else {
                let problem = #expect(throws: ArgumentProblem.self) { _ = try argument(type).value(sample) }
                #expect(problem?.argument == "x")
            }
        }
    }

    @Test("an absent argument has its default, is NULL, or is missing")
    func absence() throws {
        for type in ActionType.allCases {
            let problem = #expect(throws: ArgumentProblem.self) { _ = try argument(type).value(nil) }
            #expect(problem?.description == "argument 'x' is missing")
            #expect(try argument(type, optional: true).value(nil) == .absent)
            guard type != .json else { continue }
            #expect(try argument(type, optional: true).value(.null) == .absent)
        }
        #expect(try argument(.json, optional: true).value(.null) == .json(Array("null".utf8)))
        var number = argument(.i64, optional: true)
        number.defaultValue = "12"
        #expect(try number.value(nil) == .i64(12))
        #expect(try number.value(.null) == .i64(12))
    }

    @Test("enum, minimum, maximum and max_bytes")
    func restrictions() throws {
        var word = argument(.str)
        word.allowed = ["all", "idle"]
        #expect(try word.value("idle") == .str(Array("idle".utf8)))
        let problem = #expect(throws: ArgumentProblem.self) { _ = try word.value("others") }
        #expect(problem?.message == "must be one of \"all\", \"idle\"")
        var number = argument(.u64)
        number.minimum = 3
        number.maximum = 5
        for good in [3, 4, 5] as [JSONValue] { _ = try number.value(good) }
        for bad in [2, 6, "18446744073709551615"] as [JSONValue] {
            #expect(throws: ArgumentProblem.self) { _ = try number.value(bad) }
        }
        var integer = argument(.i32)
        integer.allowed = [1, "2"]
        #expect(try integer.value("1") == .i32(1))
        #expect(try integer.value(2) == .i32(2))
        var real = argument(.f64)
        real.minimum = 0.5
        real.maximum = 1
        #expect(try real.value(1) == .f64(1))
        #expect(throws: ArgumentProblem.self) { _ = try real.value(0.25) }
        #expect(throws: ArgumentProblem.self) { _ = try real.value(1.5) }
        for type in [ActionType.str, .bytes, .json] {
            var text = argument(type)
            text.maxBytes = 3
            _ = try text.value(type == .bytes ? "AAAA" : type == .str ? "abc" : 123)
            let long: JSONValue = type == .bytes ? "AAAAAA==" : type == .str ? "abcd" : 1234
            let problem = #expect(throws: ArgumentProblem.self) { _ = try text.value(long) }
            #expect(problem?.message == "must have at most 3 bytes")
        }
        let large = JSONValue.string(String(repeating: "a", count: (1 << 20) + 1))
        #expect(throws: ArgumentProblem.self) { _ = try argument(.str).value(large) }
    }

    @Test("unknown arguments are refused and a secret value is in no message")
    func whole() throws {
        var secret = argument(.i64)
        secret.isSecret = true
        let action = ActionDeclaration(
            name: "act", summary: "", policy: "p", role: .guest, isReadOnly: false, arguments: [secret], samples: [])
        for wrong in [["x": "hunter2"], ["x": ["hunter2"]], ["y": "hunter2"], "hunter2", ["hunter2"]] as [JSONValue] {
            let problem = #expect(throws: ArgumentProblem.self) { _ = try action.values(wrong) }
            #expect(problem?.description.contains("hunter2") == false)
        }
        let stranger = #expect(throws: ArgumentProblem.self) { _ = try action.values(["x": 1, "y": 2]) }
        #expect(stranger?.description == "argument 'y' is not one of action 'act': it has x")
        #expect(try action.values(["x": 1]) == [.i64(1)])
    }
}
