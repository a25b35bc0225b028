// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Synchronization

/// Checks one plugin and makes the report. Blocks.
package struct ConformanceRun {
    private let options: ConformanceOptions

    package init(_ options: ConformanceOptions) { self.options = options }

    /// - Throws: `ConformanceError` when there is no plugin to check, or the kit itself cannot work.
    package func run() throws(ConformanceError) -> ConformanceReport {
        let begun = ContinuousClock.now
        let started = SystemWallClock().now
        let schemas = try SchemaSet(directory: options.schemas)
        var ledger = CheckLedger()
        let files = try PluginFiles.read(options.plugin, schemas: schemas, &ledger)
        let isMappable = ElfChecks.run(ElfFile(files.library), &ledger)
        let findings = Findings(ledger)
        let scratch = try FileTree.makeTemporaryDirectory(in: options.temporaryDirectory)
        defer { FileTree.remove(scratch) }
        // What the plugin leaves running comes to this process when its child ends.
        _ = clinux_become_subreaper()
        defer { Orphans.end(of: scratch) }
        if isMappable { try runGroups(files, scratch, findings) }
        return ConformanceReport(
            id: files.id, version: files.version, sha256: files.sha256, host: options.host, started: started,
            seconds: (ContinuousClock.now - begun).inSeconds, engine: options.runsEngine, checks: findings.results,
            capabilities: findings.capabilities)
    }

    private func runGroups(
        _ files: PluginFiles, _ scratch: String, _ findings: Findings
    ) throws(ConformanceError) {
        try run(.link, files, scratch, findings)
        guard try run(.load, files, scratch, findings) else { return }
        let groups =
            [.requires]
            + Group.extensions.filter { group in
                guard let id = group.extensionID else { return false }
                guard !files.provides.contains(id) else { return true }
                findings.add("\(group.prefix).provided", .skipped, "The plugin does not provide \(id).")
                return false
            }
        let queue = Mutex(groups)
        let failure = Mutex<ConformanceError?>(nil)
        let run = self
        Threads.run(min(options.width, groups.count)) {
            while let group = queue.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                do throws(ConformanceError) {
                    try run.run(group, files, scratch, findings)
                } catch {
                    failure.withLock { $0 = error }
                }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        if options.runsEngine { try runEngine(files, scratch, findings) }
    }

    /// The life of the engine, for a datastore.
    private func runEngine(
        _ files: PluginFiles, _ scratch: String, _ findings: Findings
    ) throws(ConformanceError) {
        guard files.provides.contains("trove.datastore/1") else {
            return findings.add("engine.provided", .skipped, "The plugin does not provide trove.datastore/1.")
        }
        // The engine's user has to reach its directories.
        chmod(scratch, 0o711)
        let backup = try BackupChoice(files: files, named: options.backup).files
        try run(.answers, files, scratch, findings)
        let engine = EngineOrder(
            backupLibrary: backup?.libraryPath, backupID: backup?.id, answers: findings.answers)
        try run(.engine, files, scratch, findings, engine: engine)
    }

    /// Runs a group; after a scenario that ended the child, a new child goes on behind it.
    ///
    /// - Returns: Whether the plugin can be used further.
    @discardableResult
    private func run(
        _ group: Group, _ files: PluginFiles, _ scratch: String, _ findings: Findings, engine: EngineOrder? = nil
    ) throws(ConformanceError) -> Bool {
        let sandbox = scratch + "/" + group.rawValue
        guard mkdir(sandbox, group == .engine ? 0o711 : 0o700) == 0 else {
            throw ConformanceError("\(sandbox) cannot be made: \(String(cString: strerror(errno)))")
        }
        var order = ChildOrder(
            group: group.rawValue, from: 0, directory: files.directory, libraryPath: files.libraryPath,
            manifest: files.manifest, schemas: options.schemas, sandbox: sandbox, repeats: options.repeats,
            engine: engine)
        var losses = 0
        while true {
            let end = GroupProcess(order: order, command: options.childCommand, scratch: scratch).run(findings.take)
            switch end {
            case .done: return true
            case .unusable: return false
            case .failed(let message):
                throw ConformanceError("the check '\(group.rawValue)' could not be run: \(message)")
            case .lost(let index, let check, let target, let how):
                if !how.hasSuffix("exit status 3") {
                    findings.add(
                        check, .failed,
                        "\(target) \(how); a plugin returns a status instead, whatever it is given.")
                }
                losses += 1
                // The first steps stand on each other; after many losses the picture is clear.
                guard Group.extensions.contains(group) else { return false }
                if losses >= 12 { return true }
                order.from = index + 1
            }
        }
    }
}

/// What has been found so far; several threads add to it.
final class Findings: Sendable {
    private struct State {
        var ledger: CheckLedger
        var capabilities: [String: Bool] = [:]
        var answers: JSONValue = .null
    }

    private let state: Mutex<State>

    init(_ ledger: CheckLedger) { state = Mutex(State(ledger: ledger)) }

    func add(_ name: String, _ outcome: CheckResult.Outcome, _ message: String) {
        state.withLock { $0.ledger.add(name, outcome, message) }
    }

    /// Takes a line that a child reports.
    func take(_ line: JSONValue) {
        if let verb = line["capability"]?.stringValue {
            state.withLock { $0.capabilities[verb] = line["value"]?.boolValue ?? false }
            return
        }
        if let answers = line["answers"] { return state.withLock { $0.answers = answers } }
        guard let check = line["check"]?.stringValue,
            let outcome = line["outcome"]?.stringValue.flatMap(CheckResult.Outcome.init(rawValue:))
        else { return }
        add(check, outcome, line["message"]?.stringValue ?? "")
    }

    var results: [CheckResult] { state.withLock { $0.ledger.results } }
    /// What the policy said about the engine.
    var answers: JSONValue { state.withLock { $0.answers } }
    var capabilities: [String: Bool] { state.withLock { $0.capabilities } }
}
