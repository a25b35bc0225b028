// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CPluginCalls
import Glibc
import Logging
import Model
import PluginHost

/// Measures what the boundary costs and prints one JSON object. Times in nanoseconds unless a name says otherwise.
@main
struct PluginBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin-bench", abstract: "Measure calls into plugins.",
        discussion: "DIRECTORY holds the plugins asyncc, asyncrust and asyncswift (Benchmarks/Plugins).")

    @Argument(help: "Directory of the benchmark's plugins.")
    var directory: String

    @Option(help: "Calls a loop.")
    var calls = 10_000_000

    @Option(help: "Operations that are open at once, over all three plugins.")
    var operations = 100_000

    @Flag(help: "Only the concurrent operations: for sanitizers.")
    var onlyOperations = false

    static let languages = ["c", "rust", "swift"]

    func run() async throws {
        var result: [String: JSONValue] = [:]
        if !onlyOperations {
            result["direct_ns"] = .double(best { Double(plugin_calls_direct(Int64(calls))) / Double(calls) })
            for language in Self.languages {
                let path = "\(directory)/async\(language)/async\(language).so"
                result["table_\(language)_ns"] = .double(
                    best { Double(plugin_calls_table(path, Int64(calls))) / Double(calls) })
            }
        }
        let registries = try load(&result)
        let plugins = registries.flatMap(\.plugins)
        if !onlyOperations { try measureForeignCalls(plugins, &result) }
        result["operations"] = try await Operations(plugins: plugins, count: operations).run()
        for registry in registries { registry.shutdown() }
        print(JSONValue.object(result).text)
    }

    /// The least of five.
    private func best(_ body: () -> Double) -> Double { (0..<5).map { _ in body() }.min() ?? 0 }

    /// Loads one after the other, as a control plane does that takes up a plugin while it runs: the first load, which
    /// readies the host itself, is `load_first_ms`, the mean of the others `load_ms`. Trial loads are off, as they are for
    /// libraries on record.
    private func load(_ result: inout [String: JSONValue]) throws -> [PluginRegistry] {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        var registries: [PluginRegistry] = []
        var milliseconds: [Double] = []
        for language in Self.languages {
            let registry = PluginRegistry(
                configuration: PluginHostConfiguration(
                    directories: [directory], enabled: ["org.trove.bench.\(language)"], role: .control,
                    probeCommand: [], logger: logger))
            let start = ContinuousClock.now
            try registry.load()
            milliseconds.append(start.duration(to: .now) / .milliseconds(1))
            guard registry.plugins.count == 1 else {
                throw ValidationError("the plugin in \(language) was not loaded: \(registry.refusals)")
            }
            registries.append(registry)
        }
        result["load_first_ms"] = .double(milliseconds[0])
        result["load_ms"] = .double(milliseconds.dropFirst().reduce(0, +) / Double(milliseconds.count - 1))
        return registries
    }

    private func measureForeignCalls(_ plugins: [LoadedPlugin], _ result: inout [String: JSONValue]) throws {
        let count = max(calls / 10, 1)
        for (language, plugin) in zip(Self.languages, plugins) {
            let action = try plugin.action("nothing")
            let values: [ActionValue] = [.i64(1), .str(Array("x".utf8))]
            let memory = UnsafeMutableRawPointer.allocate(byteCount: ActionCall.memory(values), alignment: 16)
            defer { memory.deallocate() }
            result["foreign_\(language)_ns"] = .double(
                best {
                    let start = ContinuousClock.now
                    for _ in 0..<count { _ = action.call(nil, values, memory: memory) }
                    return start.duration(to: .now) / .nanoseconds(1) / Double(count)
                })
        }
    }
}
