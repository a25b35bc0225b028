// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Messaging
import Model
import Testing

@testable import GuestAgent

@Suite("Actions and modules in the guest")
struct ActionVerbTests {
    private static let plugin = "org.example.files"

    /// An agent that also maps the extra plugin.
    private func withAgent(_ body: (AgentFixture) async throws -> Void) async throws {
        try await AgentFixture.run { document in
            var document = document
            var plugins = document["plugins"]?.objectValue ?? [:]
            plugins["extra"] = [.string(BuiltExtra.id)]
            plugins["directories"] = [.string(Built.plugins), .string(BuiltExtra.plugins)]
            document["plugins"] = .object(plugins)
            return document
        } _: { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try await body(fixture)
            }
        }
    }

    private func act(
        _ fixture: AgentFixture, _ name: String, _ arguments: JSONValue, plugin: String = BuiltExtra.id
    ) async throws -> JSONValue {
        try await fixture.call(
            .pluginAction, ["plugin": .string(plugin), "action": .string(name), "arguments": arguments])
    }

    @Test("an action of an extra plugin runs; what it emits, nothing, and failures are told apart")
    func actions() async throws {
        try await withAgent { (fixture: AgentFixture) async throws -> Void in
            #expect(try await act(fixture, "add", ["a": 2, "b": "40"]) == ["result": 42])
            #expect(
                try await act(fixture, "add", ["a": 2, "b": "40"], plugin: "\(BuiltExtra.id)@1.0.0") == ["result": 42])
            #expect(try await act(fixture, "rest", [:]) == [:])
            let full = try await act(fixture, "refuse", ["secret": "hunter2"])
            #expect(full["error"]?["code"] == "exhausted")
            #expect(full["error"]?["plugin"] == .string(BuiltExtra.id))
            #expect(full.text.contains("hunter2") == false)
            let wrong = try await act(fixture, "add", ["a": true, "b": 1])
            #expect(wrong["error"]?["code"] == "invalid_argument")
            #expect(wrong["error"]?["message"]?.stringValue?.contains("argument 'a'") == true)
        }
    }

    @Test("only plugins and actions that the guest has are called")
    func absent() async throws {
        try await withAgent { (fixture: AgentFixture) async throws -> Void in
            #expect(try await act(fixture, "unknown", [:])["error"]?["code"] == "not_found")
            let other = try await act(fixture, "add", ["a": 1, "b": 1], plugin: "org.example.other")
            #expect(other["error"]?["code"] == "not_found")
            #expect(try await act(fixture, "add", [:], plugin: Self.plugin)["error"]?["code"] == "not_found")
            await VerbTests.expectFault("TypeError") {
                try await fixture.call(.pluginAction, ["plugin": 1, "action": "add", "arguments": [:]])
            }
            await VerbTests.expectFault("TypeError") {
                try await fixture.call(.pluginAction, ["plugin": "p", "action": "add", "arguments": []])
            }
        }
    }

    @Test("modules are applied one by one, each with its result, and taken away")
    func modules() async throws {
        try await withAgent { (fixture: AgentFixture) async throws -> Void in
            func module(_ type: String, _ contents: String) -> JSONValue {
                [
                    "module": [
                        "id": "m1", "name": "note", "type": .string(type), "contents": .string(contents), "tenant": "t",
                        "visible": true,
                    ]
                ]
            }
            let results = try await fixture.call(
                .moduleApply, ["modules": [module("note", "aGk="), module("absent", ""), module("note", "")]])
            #expect(results.arrayValue?.map { $0["status"] } == ["OK", "ERROR", "ERROR"])
            #expect(results[0]?["message"] == "noted")
            #expect(results[0]?["contents"] == .null)
            #expect(results[0]?["visible"] == true)
            #expect(results[1]?["message"]?.stringValue?.contains("modules of type 'absent'") == true)
            #expect(try await fixture.call(.moduleRemove, ["module": module("note", "aGk=")]) == .null)
            await VerbTests.expectFault("ModuleTypeNotFound") {
                try await fixture.call(.moduleRemove, ["module": module("absent", "")])
            }
            await VerbTests.expectFault("TypeError") {
                try await fixture.call(.moduleApply, ["modules": [module("note", "not base64")]])
            }
        }
    }
}

/// A plugin with actions and a module driver, compiled once.
private enum BuiltExtra {
    static let id = "org.example.extra"

    static let plugins: String = {
        let root = Built.directory + "/extra"
        let own = root + "/extra"
        try? FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        let library = own + "/extra.so"
        Built.compile(
            source, to: library,
            [
                "-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-z,defs,-z,now", "-I",
                Built.repository + "/Sources/CTrovePlugin/include",
            ])
        let sum = Built.run("/usr/bin/sha256sum", [library]).prefix(64)
        #if arch(arm64)
            let platform = "linux-aarch64-gnu"
        #else
            let platform = "linux-x86_64-gnu"
        #endif
        let manifest = """
            {"manifest": 1, "id": "\(id)", "version": "1.0.0", "summary": "Actions and modules",
             "library": {"file": "extra.so", "sha256": "\(sum)", "abi": "1.0", "platform": "\(platform)"},
             "roles": ["guest"], "provides": ["trove.actions/1", "trove.module-driver/1"], "licence": "Apache-2.0",
             "actions": [
               {"name": "add", "policy": "instance:add", "args": [{"name": "a", "type": "i32"}, {"name": "b", "type": "i64"}]},
               {"name": "rest", "policy": "instance:rest"},
               {"name": "refuse", "policy": "instance:refuse", "args": [{"name": "secret", "type": "str", "secret": true}]}]}
            """
        try? manifest.write(toFile: own + "/plugin.json", atomically: true, encoding: .utf8)
        return root
    }()

    private static let source = #"""
        #include "trove_actions.h"
        #include "trove_module_driver.h"
        #include <stdio.h>
        #include <string.h>
        static const trove_host_1 *host;
        static trove_str text(const char *s) { return (trove_str){s, strlen(s)}; }
        static trove_status add(trove_call *call, int32_t a, int64_t b) {
          char out[32];
          int size = snprintf(out, sizeof out, "%lld", (long long)a + (long long)b);
          return host->emit(call, out, (size_t)size);
        }
        static trove_status rest(trove_call *call) { (void)call; return TROVE_OK; }
        static trove_status refuse(trove_call *call, const trove_str *secret) {
          return host->fail(call, TROVE_EXHAUSTED, *secret, text(""));
        }
        static const trove_arg_1 add_args[] = {{"a", TROVE_T_I32, 0, ""}, {"b", TROVE_T_I64, 0, ""}};
        static const trove_arg_1 refuse_args[] = {{"secret", TROVE_T_STR, TROVE_ARG_SECRET, ""}};
        static const trove_action_1 items[] = {
          {sizeof(trove_action_1), 0, "add", "", add_args, 2, 0, (trove_fn)add, NULL},
          {sizeof(trove_action_1), 0, "rest", "", NULL, 0, 0, (trove_fn)rest, NULL},
          {sizeof(trove_action_1), 0, "refuse", "", refuse_args, 1, 0, (trove_fn)refuse, NULL}};
        static const trove_actions_1 actions = {sizeof actions, 3, items};
        static trove_status validate(trove_call *call, trove_str request) {
          return memmem(request.ptr, request.len, "\"contents\":\"\"", 13)
                     ? host->fail(call, TROVE_INVALID_ARGUMENT, text("empty"), text(""))
                     : TROVE_OK;
        }
        static trove_status apply(trove_call *call, trove_str request) {
          (void)request;
          return host->emit(call, "{\"message\":\"noted\"}", 19);
        }
        static trove_status take(trove_call *call, trove_str request) { (void)call; (void)request; return TROVE_OK; }
        static const trove_module_driver_1 driver = {sizeof driver, 0, "note", validate, apply, take};
        static trove_status init(const trove_host_1 *given) { host = given; return TROVE_OK; }
        static void deinit(void) {}
        static const void *get_extension(const char *id) {
          if (!strcmp(id, TROVE_EXT_ACTIONS)) return &actions;
          return strcmp(id, TROVE_EXT_MODULE_DRIVER) ? NULL : &driver;
        }
        static const trove_plugin_1 plugin = {sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0,
                                              "org.example.extra", "1.0.0", init, deinit, get_extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }
        """#
}
