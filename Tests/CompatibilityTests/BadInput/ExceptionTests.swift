// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import PluginHost

@Suite("Exceptions and panics of plugins")
struct ExceptionTests {
    /// A policy in C++ that throws for a request with the word `throw`; with `EARLY` also while it is mapped.
    private static let throwing = """
        #include "trove_datastore_policy.h"
        #include <stdexcept>
        #include <string>
        static trove_status pure(trove_call *, trove_str request) {
          if (std::string(request.ptr, request.len).find("throw") != std::string::npos)
            throw std::runtime_error("out of the library");
          return TROVE_OK;
        }
        static const trove_datastore_policy_1 policy = {sizeof policy, 0, pure, pure, pure, nullptr, nullptr, nullptr};
        static trove_status init(const trove_host_1 *) {
        #ifdef EARLY
          throw 7;
        #endif
          return TROVE_OK;
        }
        static void deinit() {}
        static const void *extension(const char *id) {
          return std::string(id) == TROVE_EXT_DATASTORE_POLICY ? &policy : nullptr;
        }
        static const trove_plugin_1 plugin = {
          sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, ID, "1.0.0", init, deinit, extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t) {
          return major == TROVE_ABI_MAJOR ? &plugin : nullptr;
        }

        """

    private static let provides = ["trove.datastore-policy/1"]

    @Test("an exception that leaves a call ends the runner, naming the plugin; the next call is answered")
    func exception() async throws {
        try await withPluginDirectory { (directory) async throws in
            try await directory.install("cxx", [Unit(text: Self.throwing, isCXX: true)], provides: Self.provides)
            let client = PluginRunnerClient(
                command: [PluginDirectory.checker, "runner"],
                configuration: directory.configuration(["cxx"], role: .control, probes: true))
            try await client.start(deadline: .after(.seconds(30)))
            #expect(await client.refusals == [])
            let error = await failure { () throws(PluginError) in
                try await client.policy("test.cxx", .validateCreate, "throw", PluginDirectory.options())
            }
            #expect(error?.code == .crashed && error?.pluginID == "test.cxx")
            #expect(error?.message == "plugin 'test.cxx' trapped with signal 6")
            let next = await failure { () throws(PluginError) in
                try await client.policy("test.cxx", .validateCreate, [:], PluginDirectory.options())
            }
            #expect(next == nil)
            await client.shutdown()
        }
    }

    @Test("an exception that leaves init fails the trial, naming the file")
    func exceptionInInit() async throws {
        try await withPluginDirectory { (directory) async throws in
            let library = try await directory.install(
                "cxx", [Unit(text: Self.throwing, macros: ["EARLY"], isCXX: true)], provides: Self.provides)
            let refusal = try #require(try directory.load(["cxx"], role: .control, probes: true).refusals.first)
            #expect(refusal.cause == .probe && refusal.path == library)
            #expect(refusal.message.contains("signal 6 (SIGABRT)"))
        }
    }
}

@Suite("Panics of plugins in Rust")
struct PanicTests {
    /// `panic` goes through the helpers, which catch it; `bare` does not.
    private static let panicking = """
        #[allow(dead_code)]
        mod trove {
            include!(concat!(env!("TROVE_SDK"), "/rust/trove_plugin_kit.rs"));
        }
        use trove::*;

        unsafe extern "C" fn panics(call: *mut trove_call) -> trove_status {
            serve(call, |_| panic!("deep inside"))
        }
        unsafe extern "C" fn bare(_call: *mut trove_call) -> trove_status {
            panic!("deep inside")
        }
        const fn action(name: &'static core::ffi::CStr, fn_: unsafe extern "C" fn(*mut trove_call) -> trove_status) -> trove_action_1 {
            trove_action_1 {
                name: name.as_ptr(),
                summary: c"".as_ptr(),
                // SAFETY: the host casts it back.
                fn_: Some(unsafe { core::mem::transmute::<unsafe extern "C" fn(*mut trove_call) -> trove_status, unsafe extern "C" fn()>(fn_) }),
                ..trove_action_1::EMPTY
            }
        }
        static ITEMS: [trove_action_1; 2] = [action(c"panics", panics), action(c"bare", bare)];
        static ACTIONS: trove_actions_1 = tables::actions(&ITEMS);
        trove_plugin! { "test.rust", "1.0.0", { TROVE_EXT_ACTIONS => ACTIONS } }

        """

    @Test("a panic is a status where the helpers catch it; one that they do not see ends the runner, naming the plugin")
    func panic() async throws {
        try await withPluginDirectory { (directory) async throws in
            let library = try directory.prepare("rust")
            let source = directory.root + "/../rust.rs"
            try Self.panicking.write(toFile: source, atomically: true, encoding: .utf8)
            let environment = ProcessInfo.processInfo.environment.filter {
                ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"].contains($0.key)
            }
            let compiler = Compiler(
                program: "/usr/bin/env",
                arguments: [
                    "rustc", "--edition", "2021", "--crate-type", "cdylib", "--crate-name", "panicking", "-C",
                    "panic=unwind",
                    "-A", "warnings", "-o", library, source,
                ], environment: environment.merging(["TROVE_SDK": Headers.root + "/Plugins/SDK"]) { $1 })
            try await compiler.run()
            try directory.writeManifest("rust", provides: ["trove.actions/1"]) { manifest in
                manifest["roles"] = ["control"]
                manifest["actions"] = .array(
                    ["panics", "bare"].map { ["name": .string($0), "policy": "instance:test", "args": []] })
            }
            let client = PluginRunnerClient(
                command: [PluginDirectory.checker, "runner"],
                configuration: directory.configuration(["rust"], role: .control, probes: true))
            try await client.start(deadline: .after(.seconds(30)))
            #expect(await client.refusals == [])
            func error(_ action: String) async -> PluginError? {
                await failure { () throws(PluginError) in
                    try await client.action("test.rust", action, [:], PluginDirectory.options(), control: NoControl())
                }
            }
            for _ in 0..<3 {
                let caught = await error("panics")
                #expect(caught?.code == .internal && caught?.message == "the plugin panicked")
                #expect(caught?.pluginID == "test.rust")
            }
            #expect(await error("bare")?.message == "plugin 'test.rust' trapped with signal 6")
            #expect(await error("panics")?.code == .internal)
            await client.shutdown()
        }
    }
}

private struct NoControl: ControlHandler {
    func perform(
        _ operation: String, _ request: JSONValue, context: RequestContext
    ) async throws(PluginError) -> JSONValue { throw PluginError(.unsupported, "no operation") }
}
