// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import Model
import PluginHost
import StateStore

/// Moves instances to the active version of a plugin.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Move instances to the active version of a plugin.",
        discussion: """
            Each instance's agent is replaced by one that maps the new version; the engine runs on. An instance whose new \
            agent does not find the engine as it was goes back to the version before. Without a control plane the work waits \
            for the next one.
            """
    )

    @OptionGroup var home: HomeOption

    @Option(help: ArgumentHelp("Only this instance.", valueName: "id"))
    var instance: String?

    @Option(help: ArgumentHelp("Only instances of this datastore.", valueName: "name"))
    var datastore: String?

    @Option(help: ArgumentHelp("Only instances of this version of the datastore.", valueName: "name"))
    var version: String?

    @Argument(help: "The plugin's id.")
    var plugin: String

    func validate() throws {
        guard instance == nil || (datastore == nil && version == nil) else {
            throw ValidationError("Name an instance, or a datastore and its version, not both.")
        }
        guard version == nil || datastore != nil else { throw ValidationError("--version needs --datastore.") }
        guard PluginReference(plugin).version == nil else {
            throw ValidationError(
                "Instances move to the active version; 'trove plugin activate \(plugin)' makes another one active.")
        }
    }

    func run() async throws {
        try await reportingErrors {
            let operation = try PluginOperator(home.home)
            let candidate = try operation.require(PluginReference(plugin), operation.scan())
            let target = candidate.manifest.reference
            if let held = operation.catalogue.decisions.quarantine[target] {
                throw StartError("\(target) is quarantined: \(held.reason); 'trove plugin lift \(plugin)' ends it")
            }
            let configuration = try await WorkerConfiguration.read(operation.home, operation.installation)
            guard let store = try await configuration.state.existing(operation.home, logger: Log.make("migrate")) else {
                throw StartError("\(operation.home.path) is not a control plane's home")
            }
            do {
                try await migrate(to: target, store, operation.home)
                await store.close()
            } catch {
                await store.close()
                throw error
            }
        }
    }

    private func migrate(to target: String, _ store: any StateStore, _ home: Home) async throws {
        let (chosen, busy) = try await choose(target, store)
        for id in busy { Output.line("instance \(id): another operation works on it; migrate it when that has ended") }
        guard !chosen.isEmpty else {
            Output.line("no instance \(busy.isEmpty ? "needs to move" : "can move now") to \(target)")
            if !busy.isEmpty { throw ExitCode(1) }
            return
        }
        guard HomeHolders.all(home).filter({ $0.send(SIGHUP) == 0 }).count > 0 else {
            Output.line("\(chosen.count) instances move to \(target) when a control plane runs")
            return
        }
        let failed = try await follow(chosen, target, store)
        Output.line("\(chosen.count - failed) of \(chosen.count) instances use \(target)")
        if failed > 0 || !busy.isEmpty { throw ExitCode(1) }
    }

    /// Writes the work into the journal.
    ///
    /// - Returns: Instance ids by journal row, and instances that cannot be moved now.
    private func choose(
        _ target: String, _ store: any StateStore
    ) async throws -> (chosen: [(row: String, instance: String)], busy: [String]) {
        let (instance, datastore, version) = (instance, datastore, version)
        let result = try await store.write(.durable) { transaction in
            let versions = try Self.versions(datastore, version, transaction)
            if let instance, try transaction.instances.find(instance) == nil {
                throw StartError("there is no instance '\(instance)'")
            }
            var rows: [[String]] = []
            var busy: [String] = []
            let random = SystemRandomSource()
            for record in try transaction.instances.all() {
                guard instance == nil || record.id == instance, versions?.contains(record.datastoreVersionID) ?? true
                else { continue }
                guard let before = try Self.before(record, target, transaction) else { continue }
                guard try transaction.journal.live(resourceID: record.id).isEmpty, record.task != .deleting else {
                    busy.append(record.id)
                    continue
                }
                var row = JournalRecord(
                    id: random.uuid(), requestID: random.requestID(), projectID: record.projectID, userID: "operator",
                    flow: FlowName.migratePlugin.rawValue, resourceID: record.id,
                    input: ["instance_id": .string(record.id), "plugin": .string(target), "before": before],
                    created: SystemWallClock().now)
                row.host = record.computeHost
                row.notBefore = Timestamp(microseconds: 0)
                try transaction.journal.insert(row)
                rows.append([row.id, record.id])
            }
            return (rows, busy)
        }
        return (result.0.map { ($0[0], $0[1]) }, result.1)
    }

    /// Ids of the datastore's versions; nil: all of all.
    private static func versions(
        _ datastore: String?, _ version: String?, _ transaction: any StateTransaction
    ) throws -> Set<String>? {
        guard let datastore else { return nil }
        guard let found = try transaction.datastores.find(idOrName: datastore) else {
            throw StartError("there is no datastore '\(datastore)'")
        }
        let versions = try transaction.datastores.versions(datastoreID: found.id).filter {
            version == nil || $0.name == version || $0.id == version
        }
        guard !versions.isEmpty else {
            throw StartError("the datastore '\(datastore)' has no version '\(version ?? "")'")
        }
        return Set(versions.map(\.id))
    }

    /// The plugins that the instance has, if it uses another version of the target's plugin.
    private static func before(
        _ record: InstanceRecord, _ target: String, _ transaction: any StateTransaction
    ) throws -> JSONValue? {
        let wanted = PluginReference(target)
        let version = try transaction.datastores.version(record.datastoreVersionID)
        let references = (version?.plugins.objectValue ?? [:]).merging(record.plugins.objectValue ?? [:]) { $1 }
        let isMoved = PluginReference.all(in: .object(references)).contains { text in
            PluginReference(text).id == wanted.id && text != target
        }
        return isMoved ? .object(references) : nil
    }

    /// Prints what becomes of each.
    ///
    /// - Returns: How many failed.
    private func follow(
        _ chosen: [(row: String, instance: String)], _ target: String, _ store: any StateStore
    ) async throws -> Int {
        var open = chosen
        var failed = 0
        while !open.isEmpty {
            let rows = open.map(\.row)
            let records = try await store.read { transaction in try rows.map { try transaction.journal.find($0) } }
            var left: [(row: String, instance: String)] = []
            for (item, record) in zip(open, records) {
                switch record?.state {
                case .ready, .running: left.append(item)
                case .done: Output.line("instance \(item.instance): uses \(target)")
                case .failed, nil:
                    failed += 1
                    Output.line("instance \(item.instance): keeps its version: \(record?.error ?? "it is gone")")
                }
            }
            open = left
            if !open.isEmpty { try await Task.sleep(for: .milliseconds(200)) }
        }
        return failed
    }
}
