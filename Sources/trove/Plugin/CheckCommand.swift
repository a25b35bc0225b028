// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Conformance
import Glibc
import Model
import PluginHost

/// Checks a plugin against the boundary, each group of calls in a child process.
struct PluginCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a plugin against everything that the host expects of it.",
        discussion: "Exits with 0 without findings, 1 with findings, 2 when there is nothing to check."
    )

    @Argument(help: "The plugin's directory, with plugin.json and the library.")
    var plugin: String

    @Flag(help: "Also run the real engine of a datastore; needs root and the engine's programs.")
    var engine = false

    @Option(
        help: ArgumentHelp("The backup strategy for --engine (default: one beside the plugin).", valueName: "directory")
    )
    var backup: String?

    @Option(help: ArgumentHelp("Also write the report as JSON; '-' is standard output.", valueName: "file"))
    var json: String?

    @Flag(help: "Keep the report below the home, where 'trust.conformance: required' looks for it.")
    var record = false

    @Option(name: .customLong("repeat"), help: "Calls of each function in the leak checks.")
    var repeats = 1000

    @Option(
        help: ArgumentHelp(
            "Schemas of the documents (default: those installed with this program).", valueName: "directory"))
    var schemas: String?

    @OptionGroup var home: HomeOption

    func validate() throws {
        guard !engine || geteuid() == 0 else {
            throw ValidationError("--engine needs root: the engine runs as a user of its own")
        }
        guard backup == nil || engine else { throw ValidationError("--backup is for --engine") }
        guard (1...1_000_000).contains(repeats) else { throw ValidationError("--repeat is 1 to 1000000") }
    }

    func run() throws {
        do {
            let report = try check()
            if json != "-" { print(report.table, terminator: "") }
            if let json { try write(report.json.serialized, to: json) }
            if record {
                let path = try ConformanceRecord(directory: home.home.plugins + "/reports").store(report.json)
                if json != "-" { print("recorded: \(path)") }
            }
            if !report.passed { throw ExitCode(1) }
        } catch let exit as ExitCode {
            throw exit
        } catch {
            FileHandleText.standardError("trove plugin check: \(error)")
            throw ExitCode(2)
        }
    }

    private func check() throws -> ConformanceReport {
        let installation = try Installation()
        var options = ConformanceOptions(
            plugin: plugin, childCommand: [installation.executable, "plugin-check-child"],
            schemas: schemas ?? Self.schemas(installation), host: "trove \(Trove.version)")
        options.repeats = repeats
        options.runsEngine = engine
        options.backup = backup
        return try ConformanceRun(options).run()
    }

    /// In the SDK that came with the program: below an install prefix or in a build folder.
    private static func schemas(_ installation: Installation) -> String {
        let folder = Installation.parent(installation.executable)
        let installed = Installation.parent(folder) + "/share/trove/sdk/schemas"
        return access(installed, R_OK) == 0 ? installed : folder + "/sdk/schemas"
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let line = bytes + [10]
        let file = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw StartError("\(path) cannot be written: \(String(cString: strerror(errno)))") }
        defer { if path != "-" { close(file) } }
        var offset = 0
        while offset < line.count {
            let count = line.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress.map { $0 + offset }, $0.count - offset)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw StartError("\(path) cannot be written: \(String(cString: strerror(errno)))") }
            offset += count
        }
    }
}

/// Lines for people on standard error.
enum FileHandleText {
    static func standardError(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}

/// The process that maps a plugin for `plugin check`.
struct PluginCheckChildCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin-check-child", abstract: "Run one group of a plugin's checks.", shouldDisplay: false
    )

    func run() throws { throw ExitCode(ConformanceChild.main()) }
}
