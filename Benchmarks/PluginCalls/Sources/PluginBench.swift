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
        let registry = try load(&result)
        if !onlyOperations { try measureForeignCalls(registry, &result) }
        result["operations"] = try await Operations(registry: registry, count: operations).run()
        registry.shutdown()
        print(JSONValue.object(result).text)
    }

    /// The least of five.
    private func best(_ body: () -> Double) -> Double { (0..<5).map { _ in body() }.min() ?? 0 }

    /// Loads all three; their trial loads are another program's matter and off here, as for libraries on record.
    private func load(_ result: inout [String: JSONValue]) throws -> PluginRegistry {
        let ids = Self.languages.map { "org.trove.bench.\($0)" }
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        let registry = PluginRegistry(
            configuration: PluginHostConfiguration(
                directories: [directory], enabled: Set(ids), role: .control, probeCommand: [], logger: logger))
        let start = ContinuousClock.now
        try registry.load()
        let time = start.duration(to: .now)
        guard registry.plugins.count == ids.count else {
            throw ValidationError("not every plugin was loaded: \(registry.refusals)")
        }
        result["load_ms"] = .double(time / .milliseconds(1) / Double(ids.count))
        return registry
    }

    private func measureForeignCalls(_ registry: PluginRegistry, _ result: inout [String: JSONValue]) throws {
        let count = max(calls / 10, 1)
        for language in Self.languages {
            guard let plugin = registry.plugin("org.trove.bench.\(language)") else { continue }
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
