// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Logging
import Messaging
import Model
import ObjectStore
import TestSupport

@testable import GuestAgent

/// An agent over a real hub, with a conductor that records.
final class AgentFixture: Sendable {
    let instance: InstanceFixture
    let conductor = RecordingConductor()
    let guest: GuestClient
    private let hub: LocalHub
    private let conductorBus: LocalHubBus
    private let clientBus: LocalHubBus

    static let context = RequestContext(requestID: "req-test", userID: "user", projectID: "project")
    var context: RequestContext { Self.context }
    var id: String { instance.configuration.instanceID }

    private init(_ instance: InstanceFixture) async throws {
        self.instance = instance
        let socket = try Self.socket(of: instance)
        hub = LocalHub(path: socket, logger: InstanceFixture.quiet)
        try hub.start()
        conductorBus = LocalHubBus(path: socket, name: "conductor", logger: InstanceFixture.quiet)
        clientBus = LocalHubBus(path: socket, name: "client", logger: InstanceFixture.quiet)
        guest = GuestClient(clientBus)
        try await conductorBus.serve(
            topic: ConductorVerb.topic, server: "test", endpoint: ConductorDispatcher(conductor))
    }

    private static func socket(of instance: InstanceFixture) throws -> String {
        guard case .hub(let socket)? = instance.configuration.bus else {
            throw GuestAgentError(.configuration, "the instance has no hub")
        }
        return socket
    }

    /// Runs `body` with hub and conductor; ends engine, hub and files afterwards, also on an error.
    static func run(
        _ change: @escaping ([String: JSONValue]) -> [String: JSONValue] = { $0 },
        _ body: (AgentFixture) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { root in
            let fixture = try await AgentFixture(try InstanceFixture(root: root, change: change))
            do {
                try await body(fixture)
            } catch {
                await fixture.close()
                throw error
            }
            await fixture.close()
        }
    }

    private func close() async {
        await clientBus.close()
        await conductorBus.close()
        await hub.stop()
        instance.endEngine()
    }

    /// Runs `body` with an agent that serves; stops the agent afterwards and leaves the engine.
    func withAgent(fault: PluginFault? = nil, _ body: (GuestAgentService) async throws -> Void) async throws {
        let bus = LocalHubBus(path: try Self.socket(of: instance), name: "guest", logger: InstanceFixture.quiet)
        var timing = GuestAgentService.Timing()
        timing.volumeInterval = .milliseconds(100)
        timing.statusInterval = .milliseconds(50)
        timing.backupGrace = .milliseconds(50)
        timing.policy.firstPause = .milliseconds(10)
        timing.policy.limit = 3
        let agent = try GuestAgentService(
            configuration: instance.configuration, conductor: ConductorClient(bus),
            objectStore: DirectoryObjectStore(root: instance.configuration.objectStoreDirectory), probeCommand: [],
            fault: fault, logger: InstanceFixture.quiet, timing: timing)
        try await agent.start()
        try await bus.serve(topic: GuestTopic.name(id), server: id, endpoint: GuestDispatcher(agent))
        do {
            try await body(agent)
        } catch {
            await agent.stop(limit: .seconds(1))
            await bus.close()
            throw error
        }
        await agent.stop(limit: .seconds(1))
        await bus.close()
    }

    func call(_ verb: GuestVerb, _ arguments: [String: JSONValue] = [:]) async throws -> JSONValue {
        try await guest.call(id, verb, arguments, context: context)
    }

    func prepareArguments(backup: JSONValue = .null, root: String? = nil) -> PrepareArguments {
        PrepareArguments(
            memoryMB: 64, databases: [DatabaseSpecification(name: "first")],
            users: [UserSpecification(name: "ann", password: Secret("pw"), databases: ["first"])],
            mountPoint: "/var/lib/files", backupInfo: backup, configContents: "size=1",
            rootPassword: root.map { Secret($0) }, dsVersion: "1")
    }

    /// Prepares and waits until the conductor heard that it is healthy.
    func prepare(_ arguments: PrepareArguments? = nil) async throws -> Bool {
        try await guest.prepare(id, arguments ?? prepareArguments(), context: context)
        return try await reports(.healthy)
    }

    /// Whether the last status becomes this one.
    func reports(_ status: ServiceStatus) async throws -> Bool {
        try await eventually { await self.conductor.statuses.last == status }
    }

    /// A backup of this instance, with keys.
    func backupInfo(_ id: String) -> BackupInfo {
        let store = DirectoryObjectStore(root: instance.configuration.objectStoreDirectory)
        return BackupInfo(
            id: id, instanceID: self.id, location: store.location("project/" + id), type: "org.example.files",
            dataKey: Secret(Base64.encode(SystemRandomSource().bytes(32))),
            wrappedKey: Base64.encode(Array("wrapped".utf8)))
    }
}
