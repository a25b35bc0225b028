// SPDX-License-Identifier: Apache-2.0

import Calls
import Compute
import Messaging
package import Model
import PluginHost
package import StateStore

/// Makes an instance, empty or from a backup.
///
/// Order: reserve the address, let the agent onto the bus, start it, let only whom the tenant said connect,
/// make the volume while it comes up, then prepare the engine.
package struct CreateInstanceFlow: Flow {
    package static let name = FlowName.createInstance

    package init() {}

    package var steps: [FlowStep] {
        [
            FlowStep(
                "allocate", deadline: .seconds(30), errorTask: .buildingErrorPort,
                ledger: { try Self.entries($0, .allocate) }, run: Self.allocate
            ),
            FlowStep(
                "bus", deadline: GuestBusSteps.deadline, errorTask: .buildingErrorServer,
                ledger: { try GuestBusSteps.entries($0) }, run: GuestBusSteps.make
            ),
            FlowStep(
                "boot", deadline: .seconds(60), errorTask: .buildingErrorServer,
                ledger: { try Self.entries($0, .boot) }, run: Self.boot
            ),
            FlowStep(
                "access", deadline: .seconds(60), errorTask: .buildingErrorSecurityGroup, run: AccessSteps.close),
            FlowStep(
                "volume", deadline: .seconds(600), errorTask: .buildingErrorVolume,
                ledger: { try Self.entries($0, .createVolume) }, run: Self.makeVolume
            ),
            FlowStep("prepare", deadline: .seconds(7200), errorTask: .buildingErrorTimeoutGuest, run: Self.prepare),
            FlowStep("modules", deadline: .seconds(600), run: ModuleStep.applyToNew),
        ]
    }

    package func finish(_ run: FlowRun, _ transaction: any StateTransaction, now: Timestamp) throws {
        let id = run.record.resourceID
        try transaction.instances.setTask(id, to: .none, expecting: [.building], now: now)
        try transaction.journal.scrubInput(run.record.id, keeping: ["instance_id", "backup_id"])
    }

    package func fail(
        _ run: FlowRun, step: FlowStep, message: String, _ transaction: any StateTransaction, now: Timestamp
    ) throws {
        let id = run.record.resourceID
        try transaction.instances.setTask(id, to: step.errorTask, expecting: [.building], now: now)
        if step.errorTask == .buildingErrorTimeoutGuest {
            try transaction.instances.setService(id, to: .guestError, heartbeat: now)
        }
        // A reason that the guest reported itself says more than the wait for it.
        if try transaction.faults.find(instanceID: id) == nil || step.name != "prepare" {
            try transaction.faults.save(
                FaultRecord(instanceID: id, message: String(message.prefix(255)), details: nil, created: now)
            )
        }
        try transaction.journal.scrubInput(run.record.id, keeping: ["instance_id", "backup_id"])
    }

    /// Before it was started no agent uses its account.
    package func undo(_ run: FlowRun, step: FlowStep) async throws {
        if step.name == "bus" { try await GuestBusSteps.remove(run, waiting: .zero) }
        // Rules that were refused are nowhere.
        if step.name == "access" { try await AccessSteps.strike(run) }
    }

    // MARK: Steps

    private static func entries(_ run: FlowRun, _ effect: ComputeEffect) throws -> [LedgerEntry] {
        let id = try run.inputText("instance_id")
        let resources = run.services.compute.resources(for: id, effect: effect)
        return run.ledgerEntries(resources.map { ($0.kind, $0.tag) }, owner: id)
    }

    private static func allocate(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        let requirements = try await subject.requirements(run)
        let placement = try await run.services.compute.allocate(subject.instance.id, ports: requirements.ports)
        run.remember("address", .string(placement.address))
        run.remember("requirements", requirements.json)
        let clock = run.services.clock
        try await run.services.store.write(.relaxed) { transaction in
            try transaction.instances.setServer(
                subject.instance.id, serverID: nil, status: .build, address: placement.address, now: clock.now
            )
        }
    }

    private static func boot(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        let id = subject.instance.id
        let serverID = try await run.services.compute.boot(
            BootRequest(
                instanceID: id, flavor: subject.flavor,
                guestConfiguration: try subject.guestConfiguration(
                    run, requirements: try await subject.requirements(run))
            )
        )
        let clock = run.services.clock
        try await run.services.store.write(.relaxed) { transaction in
            try transaction.instances.setServer(
                id, serverID: serverID, status: .active, address: run.recall("address")?.stringValue, now: clock.now
            )
        }
    }

    private static func makeVolume(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        let requirements = try await subject.requirements(run)
        var templateKey: String?
        if requirements.hasTemplate, backupID(run) == nil {
            let template = try await subject.template(run, requirements: requirements)
            try await run.services.compute.ensureTemplate(template)
            templateKey = template.key
        }
        let placement = try await run.services.compute.createVolume(
            VolumeRequest(
                instanceID: subject.instance.id, sizeGiB: subject.instance.volumeGiB, templateKey: templateKey
            )
        )
        run.remember("data_directory", .string(placement.dataDirectory))
    }

    private static func prepare(_ run: FlowRun) async throws {
        let subject = try await InstanceSubject.load(run)
        let id = subject.instance.id
        let arguments = PrepareArguments(
            memoryMB: subject.flavor.ramMiB,
            packages: subject.version.packages,
            databases: (run.input["databases"]?.arrayValue ?? []).compactMap(DatabaseSpecification.init(json:)),
            users: (run.input["users"]?.arrayValue ?? []).compactMap(UserSpecification.init(json:)),
            devicePath: nil,
            mountPoint: run.recall("data_directory")?.stringValue ?? "",
            backupInfo: try await backupInfo(run, subject),
            configContents: try await subject.configuration(run, overrides: subject.overrides(run)),
            rootPassword: nil,
            overrides: .null,
            dsVersion: subject.version.number
        )
        let limit =
            backupID(run) == nil
            ? run.services.configuration.usageTimeout : run.services.configuration.restoreUsageTimeout
        try await BusPatience.run(run, for: limit) {
            try await run.services.guests.prepare(id, arguments, context: run.context)
        }
        try await GuestWait.healthy(run, instanceID: id, deadline: .after(limit)) {
            try await run.services.guests.prepare(id, arguments, context: run.context)
        }
    }

    private static func backupID(_ run: FlowRun) -> String? { run.input["backup_id"]?.stringValue }

    private static func backupInfo(_ run: FlowRun, _ subject: InstanceSubject) async throws -> JSONValue {
        guard let backupID = backupID(run) else { return .null }
        guard let backup = try await run.services.store.read({ try $0.backups.find(backupID) }) else {
            throw FlowError("Backup \(backupID) does not exist any more.")
        }
        return try await BackupObjects(run.services).restoreInfo(backup, instanceID: subject.instance.id).json
    }
}
