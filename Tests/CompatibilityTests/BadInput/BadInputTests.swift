// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Testing

@testable import PluginHost

// What a host must survive, saying which file and why, and where each is tested.
//
// | input                                       | test                                                             |
// | ------------------------------------------- | ---------------------------------------------------------------- |
// | truncated library                           | truncated, PluginLoadingTests.trials                             |
// | text instead of a library                   | PluginLoadingTests.badBesideGood                                 |
// | constructor that aborts                     | PluginLoadingTests.trials                                        |
// | wrong ELF class, missing library            | PluginVersionTests.damaged                                       |
// | two plugins with one id                     | PluginVersionTests (same version), PluginLoadingTests.shadowing  |
// | manifest lying about extensions             | extensions, hidden, PluginLoadingTests.faults ("missing")        |
// | manifest lying about signatures of actions  | ActionTableTests                                                 |
// | manifest lying about routes                 | PluginLoadingTests.routeWords, PluginPlacesTests                 |
// | double complete, emit after return          | DatastoreSessionTests.pending                                    |
// | complete of a call that is not pending      | completed                                                        |
// | cancel before begin                         | cancelledInTurn, cancelledBefore                                 |
// | deadline before begin                       | DatastoreSessionTests.deadline                                   |
// | arguments of every wrong type               | ArgumentCheckerTests, ArgumentFuzzTests                          |
// | a stream of 2 GiB                           | LargeStreamTests                                                 |
// | directory or file writable by others        | PluginLoadingTests.permissions, PluginTrustTests.trustFiles      |
// | swap between hash and load                  | PluginTrustTests.swapped, .swappedDirectory; linked              |
// | constructor or init that does not end       | slowInit, PluginLoadingTests.endlessTrial                        |
// | panic in Rust                               | PanicTests                                                       |
// | exception in C++                            | ExceptionTests                                                   |
// | threads: what a plugin may ask              | ServiceTests ("threads know what they are"), ThreadCheckTests    |
// | other versions, magic, sizes, NULL, digests | Matrix/CurrentHostTests, Matrix/BrokenTableTests                 |
// | damaged manifests                           | ManifestFuzzTests, ManifestReaderTests                           |
@Suite("Bad plugins and bad times")
struct BadInputTests {
    /// `hold` waits until it shall stop; `count` says how often prepare was entered; `complete` ends a call that returns.
    private static let holding = """
        #include "trove_datastore.h"
        #include <poll.h>
        #include <stdio.h>
        #include <string.h>
        #include <unistd.h>
        static const trove_host_1 *host;
        static int entered;
        static trove_status ds_open(trove_call *call, trove_str config, void **self) {
          (void)call; (void)config;
          *self = &entered;
          return TROVE_OK;
        }
        static void ds_close(void *self) { (void)self; }
        static trove_status ds_prepare(void *self, trove_call *call, trove_str request) {
          ++*(int *)self;
          if (memmem(request.ptr, request.len, "complete", 8) != NULL) {
            host->complete(call, TROVE_INTERNAL);
            return TROVE_OK;
          }
          if (memmem(request.ptr, request.len, "hold", 4) == NULL) return TROVE_OK;
          host->progress(call, 1, (trove_str){"holding", 7});
          struct pollfd p = {host->cancel_fd(call), POLLIN, 0};
          poll(&p, 1, 20000);
          return TROVE_CANCELLED;
        }
        static trove_status ds_count(void *self, trove_call *call, trove_str request) {
          char out[16];
          (void)request;
          return host->emit(call, out, (size_t)snprintf(out, sizeof out, "%d", *(int *)self));
        }
        static trove_status ds_status(void *self, trove_call *call, trove_service_status_1 *out) {
          (void)self; (void)call; (void)out;
          return TROVE_OK;
        }
        static const trove_datastore_1 table = {
          .size = sizeof table, .open = ds_open, .close = ds_close, .prepare = ds_prepare, .launch = ds_count,
          .started = ds_count, .status = ds_status};
        static trove_status init(const trove_host_1 *given) {
          host = given;
        #ifdef SLEEP
          usleep(SLEEP * 1000);
        #endif
          return TROVE_OK;
        }
        static void deinit(void) {}
        static const void *extension(const char *id) {
          return strcmp(id, TROVE_EXT_DATASTORE) == 0 ? (const void *)&table : NULL;
        }
        static const trove_plugin_1 plugin = {
          sizeof plugin, TROVE_MAGIC, TROVE_ABI_MAJOR, TROVE_ABI_MINOR, 0, ID, "1.0.0", init, deinit, extension};
        const trove_plugin_1 *trove_plugin_entry(uint32_t major, uint32_t minor) {
          (void)minor;
          return major == TROVE_ABI_MAJOR ? &plugin : NULL;
        }

        """

    private func withSession(
        lines: LoggedLines = LoggedLines(), _ body: (DatastoreSession) async throws -> Void
    ) async throws {
        try await withPluginDirectory { (directory) async throws in
            try await directory.install("hold", [Unit(text: Self.holding)])
            let registry = try directory.load(["hold"], logger: lines.logger)
            let session = try await DatastoreSession.open(
                registry, reference: "test.hold", config: [:], options: PluginDirectory.options())
            try await body(session)
            await session.close()
            registry.shutdown()
        }
    }

    @Test("a call that is cancelled while it waits for its turn is answered at once and never begins")
    func cancelledInTurn() async throws {
        try await withSession { (session) async throws in
            let (starts, started) = AsyncStream.makeStream(of: Void.self)
            let options = PluginDirectory.options(onProgress: { _, _ in started.yield() })
            let first = Task {
                await failure { () throws(PluginError) in try await session.call(.prepare, "hold", options) }
            }
            for await _ in starts { break }
            let waiting = (0..<3).map { _ in
                Task {
                    await failure { () throws(PluginError) in
                        try await session.call(.prepare, [:], PluginDirectory.options())
                    }
                }
            }
            for task in waiting {
                task.cancel()
                #expect(await task.value?.code == .cancelled)
            }
            first.cancel()
            #expect(await first.value?.code == .cancelled)
            #expect(try await session.call(.launch, [:], PluginDirectory.options()) == 1)
        }
    }

    @Test("a call of a task that is cancelled already never begins, and the next one does")
    func cancelledBefore() async throws {
        try await withSession { (session) async throws in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () throws(PluginError) in
                    try await session.call(.prepare, [:], PluginDirectory.options())
                }
            }
            #expect(await task.value?.code == .cancelled)
            #expect(try await session.call(.launch, [:], PluginDirectory.options()) == 0)
            _ = try await session.call(.prepare, [:], PluginDirectory.options())
            #expect(try await session.call(.launch, [:], PluginDirectory.options()) == 1)
        }
    }

    @Test("completing a call that is not pending changes nothing but the log")
    func completed() async throws {
        let lines = LoggedLines()
        try await withSession(lines: lines) { (session) async throws in
            #expect(try await session.call(.prepare, "complete", PluginDirectory.options()) == .null)
            #expect(try await session.call(.launch, [:], PluginDirectory.options()) == 1)
        }
        #expect(lines.all.contains { $0.contains("completed a call that was not pending") && $0.contains("test.hold") })
    }

    @Test("an init that does not end is refused naming the file; a slow one is waited for")
    func slowInit() async throws {
        try await withPluginDirectory { (directory) async throws in
            let endless = try await directory.install("endless", [Unit(text: Self.holding, macros: ["SLEEP=60000"])])
            try await directory.install("slow", [Unit(text: Self.holding, macros: ["SLEEP=300"])])
            var configuration = directory.configuration(["endless", "slow"], probes: true)
            configuration.probeTimeout = .seconds(3)
            let registry = PluginRegistry(configuration: configuration)
            try registry.load()
            #expect(registry.plugins.map(\.manifest.id) == ["test.slow"])
            let refusal = try #require(registry.refusals.first)
            #expect(registry.refusals.count == 1 && refusal.path == endless && refusal.cause == .probe)
            #expect(refusal.message.contains("did not end within"))
            registry.shutdown()
        }
    }

    @Test("a library that was cut off anywhere is refused naming the file, and its neighbour works")
    func truncated() async throws {
        try await withPluginDirectory { (directory) async throws in
            let whole = try await directory.install("whole", [Unit(text: Self.holding)])
            let bytes = try Data(contentsOf: URL(fileURLWithPath: whole))
            // The loader reads the tables at the front and never asks for the section headers at the end.
            let sizes = [0, 1, 63, 64, 200, 800, 4095, 4096, 8192, bytes.count * 2 / 3].filter {
                $0 < bytes.count * 3 / 4
            }
            for size in sizes {
                let library = try directory.prepare("cut\(size)")
                try bytes.prefix(size).write(to: URL(fileURLWithPath: library))
                try directory.writeManifest("cut\(size)")
            }
            let registry = try directory.load(sizes.map { "cut\($0)" } + ["whole"], probes: true)
            #expect(registry.plugins.map(\.manifest.id) == ["test.whole"])
            #expect(registry.refusals.count == sizes.count)
            for refusal in registry.refusals {
                #expect(refusal.cause == .probe && refusal.path.contains("/cut"), "\(refusal)")
                #expect(refusal.message.hasPrefix("the trial load"), "\(refusal)")
            }
            registry.shutdown()
        }
    }

    @Test("an extension that the manifest names and the library does not have is refused, whichever it is")
    func extensions() async throws {
        try await withPluginDirectory { (directory) async throws in
            let library = try await directory.install("bare", [Unit(text: Self.holding)])
            for id in TableSource.provides + ["trove.datastore/2", "org.example.more/1"] where id != "trove.datastore/1"
            {
                try directory.writeManifest("bare", provides: ["trove.datastore/1", id])
                let refusal = try #require(try directory.load(["bare"]).refusals.first, "\(id)")
                #expect(refusal.cause == .mismatch && refusal.path == library && refusal.message.contains(id))
                guard TableSource.provides.contains(id) else { continue }
                let candidate = try PluginCatalog.candidate(at: directory.root + "/bare")
                do throws(PluginRefusal) {
                    _ = try PluginInspection.probe(
                        candidate, configuration: directory.configuration([], probes: true))
                    Issue.record("\(id) was not missed")
                } catch {
                    #expect(error.cause == .mismatch && error.message.contains(id))
                }
            }
        }
    }

    @Test("an extension that the library has and the manifest does not name is not used")
    func hidden() async throws {
        try await withPluginDirectory { (directory) async throws in
            try await directory.install("more", [Unit(text: TableSource.text)], provides: ["trove.datastore/1"])
            let registry = try directory.load(["more"])
            let plugin = try #require(registry.plugins.first, "\(registry.refusals)")
            #expect(plugin.tables.backup == nil && plugin.tables.actions == nil && plugin.tables.rpcPeer == nil)
            #expect(plugin.routes.isEmpty && plugin.actions.isEmpty && registry.moduleDriver("thing") == nil)
            let error = await failure { () throws(PluginError) in
                _ = try await BackupSession.open(
                    registry, reference: "test.more", config: [:], options: PluginDirectory.options())
            }
            #expect(error?.code == .unsupported)
            registry.shutdown()
        }
    }

    @Test("a library that became a link to another after the plugin was found is refused by name")
    func linked() async throws {
        try await withPluginDirectory { (directory) async throws in
            let library = try await directory.install("good", [Unit(text: Self.holding)])
            let candidate = try #require(
                PluginCatalog(directories: [directory.root]).find(PluginReference("test.good")))
            try FileManager.default.moveItem(atPath: library, toPath: directory.root + "/../elsewhere.so")
            try FileManager.default.createSymbolicLink(
                atPath: library, withDestinationPath: directory.root + "/../elsewhere.so")
            do throws(PluginRefusal) {
                _ = try PluginLoader(configuration: directory.configuration(["good"])).load(candidate)
                Issue.record("a link was followed")
            } catch {
                #expect(error.cause == .permission && error.path == library && error.message == "is a symbolic link")
            }
        }
    }
}
