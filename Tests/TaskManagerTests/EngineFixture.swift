// SPDX-License-Identifier: Apache-2.0

import Compute
import Foundation
import Logging
import Messaging
import Model
import ObjectStore
import PluginHost
import StateStore
import Synchronization
import TaskManager
import TestSupport

/// The engine on a real state store in a scratch directory; nothing outside is ever asked in these tests.
struct EngineFixture {
    private let directory: ScratchDirectory
    let store: SQLiteStateStore
    let clock: TestClock
    let services: FlowServices

    init() throws {
        directory = try ScratchDirectory()
        clock = TestClock()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        store = try SQLiteStateStore(path: directory.path + "/state/trove.db", clock: clock, logger: logger)
        services = FlowServices(
            store: store, compute: AbsentCompute(), objects: DirectoryObjectStore(root: directory.path + "/objects"),
            keys: ProjectKeys(directory: directory.path + "/keys"), plugins: AbsentPlugins(), bus: AbsentBus(),
            configuration: TaskManagerConfiguration(
                owner: "test", flavors: [Flavor(id: "1", name: "tiny", ramMiB: 512, vcpus: 1)], guestDefaults: [:]
            ),
            clock: clock
        )
    }

    var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// An instance in `task` and, if `flow` is given, the journal row of an operation on it.
    func instance(_ id: String, task: InstanceTask, flow: FlowName? = nil) async throws {
        let now = clock.now
        try await store.write(.relaxed) { transaction in
            if try transaction.datastores.find(idOrName: "ds") == nil {
                try transaction.datastores.upsert(DatastoreRecord(id: "ds", name: "engine", defaultVersionID: nil))
                try transaction.datastores.upsert(
                    DatastoreVersionRecord(
                        id: "v1", datastoreID: "ds", name: "1", number: "1", isActive: true, packages: [], plugins: [:]
                    )
                )
            }
            try transaction.instances.insert(
                InstanceRecord(
                    id: id, name: id, projectID: "p", flavorID: "1", volumeGiB: 1, datastoreVersionID: "v1",
                    created: now, task: task
                )
            )
            guard let flow else { return }
            try transaction.journal.insert(
                JournalRecord(
                    id: "op-" + id, requestID: "req-1", projectID: "p", userID: "u", flow: flow.rawValue,
                    resourceID: id, input: ["instance_id": .string(id)], created: now
                )
            )
        }
    }

    /// Also what another one held, once its lease has expired.
    func claim() async throws -> JournalRecord? {
        try await store.write(.relaxed) { transaction in
            try transaction.journal.claim(
                owner: "test", host: nil, lease: .seconds(30), excluding: [],
                stealing: transaction.journal.expired())
        }
    }

    func journal(_ id: String) async throws -> JournalRecord? { try await store.read { try $0.journal.find(id) } }
    func instance(_ id: String) async throws -> InstanceRecord? { try await store.read { try $0.instances.find(id) } }
}

/// A directory that goes with its owner.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "trove-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// What steps did, in order.
final class Trace: Sendable {
    private let held = Mutex<[String]>([])
    var words: [String] { held.withLock { $0 } }
    func add(_ word: String) { held.withLock { $0.append(word) } }
}

/// A flow of three steps whose middle one behaves as told.
struct ThreeStepFlow: Flow {
    static let name = FlowName.restartInstance
    let trace: Trace
    var middle: @Sendable (FlowRun) async throws -> Void = { _ in }

    var steps: [FlowStep] {
        [
            FlowStep("first", deadline: .seconds(5)) { [trace] run in
                trace.add("first")
                run.remember("left", "by first")
            },
            FlowStep(
                "second", deadline: .seconds(5), errorTask: .buildingErrorVolume,
                ledger: { $0.ledgerEntries([("image", "tag")], owner: "i1") },
                run: { [trace, middle] run in
                    let owned = try await run.services.store.read { try $0.ledger.owned(by: "i1") }
                    trace.add("second ledger=\(owned.count) left=\(run.recall("left")?.stringValue ?? "nothing")")
                    try await middle(run)
                }
            ),
            FlowStep("third", deadline: .seconds(5)) { [trace] _ in trace.add("third") },
        ]
    }

    func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        try transaction.instances.setTask(run.record.resourceID, to: .none, expecting: nil, now: now)
    }

    func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        try transaction.instances.setTask(run.record.resourceID, to: step.errorTask, expecting: nil, now: now)
        try transaction.faults.save(
            FaultRecord(instanceID: run.record.resourceID, message: message, details: nil, created: now)
        )
    }

    func undo(_ run: FlowRun, step: FlowStep) async throws { trace.add("undo \(step.name)") }
}

/// Compute that must not be asked in these tests: every call is an error.
struct AbsentCompute: PartialCompute {
    func serverStatus(_ instanceID: String) async -> ServerStatus { .unknown }
}

struct AbsentPlugins: ControlPlugins {
    var plugins: [PluginDescription] { get async { [] } }
    var routes: [PluginRoute] { get async { [] } }
    func policy(
        _ reference: String, _ function: PolicyFunction, _ request: JSONValue, _ options: CallOptions
    ) async throws(PluginError) -> JSONValue {
        throw PluginError(.notFound, pluginID: reference, "no plugins in this test")
    }
    func handle(
        _ route: PluginRoute, _ request: JSONValue, _ options: CallOptions, control: any ControlHandler
    ) async throws(PluginError) -> JSONValue { throw PluginError(.notFound, pluginID: "", "no plugins in this test") }
    func action(
        _ reference: String, _ name: String, _ arguments: JSONValue, _ options: CallOptions,
        control: any ControlHandler
    ) async throws(PluginError) -> ActionResult {
        throw PluginError(.notFound, pluginID: reference, "no plugins in this test")
    }
}

struct AbsentBus: MessageBus {
    private let error = MessagingError(.unavailable, "no bus in this test")
    func call(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, timeout: Duration,
        version: String
    ) async throws(MessagingError) -> JSONValue { throw error }
    func cast(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) { throw error }
    func castToAll(
        _ topic: String, _ method: String, _ arguments: [String: JSONValue], context: RequestContext, version: String
    ) async throws(MessagingError) { throw error }
    func notify(
        _ topic: String, priority: String, message: [String: JSONValue]
    ) async throws(MessagingError) { throw error }
    func serve(topic: String, server: String, endpoint: any RPCEndpoint) async throws(MessagingError) { throw error }
    func declare(topic: String, server: String) async throws(MessagingError) { throw error }
    func forget(topic: String, server: String) async throws(MessagingError) { throw error }
    func close() async {}
}
