// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import PluginHost

@Suite("Arguments of actions at random")
struct ArgumentFuzzTests {
    private static let secret = "do-not-show-8c1f"

    private static let declaration: JSONValue = [
        "name": "all", "policy": "instance:test",
        "args": [
            ["name": "b", "type": "bool"], ["name": "i", "type": "i32", "minimum": -5, "maximum": 1000],
            ["name": "l", "type": "i64", "default": 7], ["name": "u", "type": "u64"],
            ["name": "d", "type": "f64", "minimum": -2.5, "maximum": 1e300],
            ["name": "s", "type": "str", "optional": true, "max_bytes": 100],
            ["name": "y", "type": "bytes", "secret": true, "optional": true],
            ["name": "j", "type": "json", "optional": true],
        ],
    ]

    private static let good: JSONValue = [
        "b": true, "i": 12, "l": "-9223372036854775808", "u": "18446744073709551615", "d": 0.25, "s": "tëxt",
        "y": "AP8=", "j": ["k": [1, "two", .null]],
    ]

    /// Emits what it was given, as text: `absent`, a number, or bytes in hexadecimal.
    private static let text = """
        #include "trove_actions.h"
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        static const trove_host_1 *host;
        static trove_status all(trove_call *call, void *user, const trove_value_1 *args, uint32_t count) {
          (void)user;
          size_t room = 1024;
          for (uint32_t i = 0; i < count; i++) if (args[i].present && args[i].type >= TROVE_T_STR) room += 2 * args[i].v.str.len;
          char *out = malloc(room), *at = out;
          for (uint32_t i = 0; i < count; i++) {
            const trove_value_1 *a = &args[i];
            at += sprintf(at, i == 0 ? "[\\"" : "\\",\\"");
            if (!a->present) { at += sprintf(at, "absent"); continue; }
            switch (a->type) {
            case TROVE_T_BOOL: case TROVE_T_I32: at += sprintf(at, "%d", a->v.i32); break;
            case TROVE_T_I64: at += sprintf(at, "%lld", (long long)a->v.i64); break;
            case TROVE_T_U64: case TROVE_T_F64: at += sprintf(at, "%llu", (unsigned long long)a->v.u64); break;
            default:
              for (size_t k = 0; k < a->v.str.len; k++) at += sprintf(at, "%02x", (unsigned char)a->v.str.ptr[k]);
            }
          }
          at += sprintf(at, "\\"]");
          trove_status status = host->emit(call, out, (size_t)(at - out));
          free(out);
          return status;
        }
        #define A(name, type, flags) {name, type, flags, ""}
        static const trove_arg_1 args[] = {
          A("b", TROVE_T_BOOL, 0), A("i", TROVE_T_I32, 0), A("l", TROVE_T_I64, TROVE_ARG_OPTIONAL), A("u", TROVE_T_U64, 0),
          A("d", TROVE_T_F64, 0), A("s", TROVE_T_STR, TROVE_ARG_OPTIONAL),
          A("y", TROVE_T_BYTES, TROVE_ARG_OPTIONAL | TROVE_ARG_SECRET), A("j", TROVE_T_JSON, TROVE_ARG_OPTIONAL)};
        static const trove_action_1 items[] = {
          {sizeof(trove_action_1), TROVE_ACTION_PACKED, "all", "", args, 8, 0, (trove_fn)all, NULL}};
        static const trove_actions_1 table = {sizeof table, 1, items};
        static trove_status init(const trove_host_1 *given) { host = given; return TROVE_OK; }
        static void deinit(void) {}
        static const void *extension(const char *id) { return strcmp(id, TROVE_EXT_ACTIONS) == 0 ? &table : NULL; }
        static const trove_plugin_1 plugin = {
          sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, ID, "1.0.0", init, deinit, extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }

        """

    /// What the plugin emits for a value.
    private static func shown(_ value: ActionValue) -> JSONValue {
        func hex(_ bytes: [UInt8]) -> String {
            bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        return switch value {
        case .absent: "absent"
        case .bool(let flag): flag ? "1" : "0"
        case .i32(let number): .string("\(number)")
        case .i64(let number): .string("\(number)")
        case .u64(let number): .string("\(number)")
        case .f64(let number): .string("\(number.bitPattern)")
        case .str(let bytes), .bytes(let bytes), .json(let bytes): .string(hex(bytes))
        }
    }

    private func check(_ problem: ArgumentProblem, _ seed: UInt64) {
        let names = ["b", "i", "l", "u", "d", "s", "y", "j"]
        #expect(
            problem.argument.isEmpty || names.contains(problem.argument)
                || problem.message.contains("is not one of action"),
            "seed \(seed): \(problem)")
        #expect(!problem.message.isEmpty && problem.description.utf8.count <= 512, "seed \(seed)")
        #expect(!problem.description.contains(Self.secret), "seed \(seed): \(problem)")
        #expect(
            !problem.description.unicodeScalars.contains { $0.properties.generalCategory == .control },
            "seed \(seed): \(problem.description.debugDescription)")
    }

    @Test("what fits reaches the plugin as it was given, what does not is refused by name: 2,000 documents")
    func arguments() async throws {
        try await withPluginDirectory { (directory) async throws in
            try await directory.install("fuzz", [Unit(text: Self.text)], provides: ["trove.actions/1"]) {
                $0["actions"] = [Self.declaration]
            }
            let registry = try directory.load(["fuzz"])
            let plugin = try #require(registry.plugins.first, "\(registry.refusals)")
            let declaration = try plugin.action("all").declaration
            #expect(try declaration.values(Self.good).count == 8)
            var (called, refused) = (0, 0)
            for seed in UInt64(1)...2000 {
                var mutator = Mutator(seed: seed)
                var arguments = mutator.mutate(Self.good)
                if seed % 4 == 0 {
                    guard let parsed = try? JSONValue(parsing: mutator.mutate(Self.good.serialized)) else { continue }
                    arguments = parsed
                } else if seed % 4 == 1, case .object(var members) = arguments {
                    members["y"] = .string(Self.secret)
                    arguments = .object(members)
                }
                let values: [ActionValue]
                do throws(ArgumentProblem) { values = try declaration.values(arguments) } catch {
                    refused += 1
                    check(error, seed)
                    continue
                }
                called += 1
                let answer = try await registry.action("test.fuzz", "all", arguments, PluginDirectory.options())
                #expect(answer.value == .array(values.map(Self.shown)), "seed \(seed)")
            }
            #expect(called > 200 && refused > 700, "\(called) called, \(refused) refused")
            registry.shutdown()
        }
    }
}
