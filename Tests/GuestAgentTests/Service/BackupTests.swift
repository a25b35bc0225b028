// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Model
import ObjectStore
import TestSupport
import Testing

@testable import GuestAgent

@Suite struct BackupTests {
    static let blob = SeededRandomSource(seed: 7).bytes(3_000_000)

    /// Makes a backup and returns what the conductor heard last.
    static func backUp(_ fixture: AgentFixture, _ info: BackupInfo) async throws -> BackupReport {
        try await fixture.guest.createBackup(fixture.id, info, context: fixture.context)
        _ = try await eventually { await fixture.conductor.states(info.id).last?.isRunning == false }
        return try #require(await fixture.conductor.backups.last { $0.backupID == info.id })
    }

    static func store(_ fixture: AgentFixture) -> DirectoryObjectStore {
        DirectoryObjectStore(root: fixture.instance.configuration.objectStoreDirectory)
    }

    /// A restored copy's bus form of a finished backup.
    static func restoreInfo(_ info: BackupInfo, _ report: BackupReport) -> JSONValue {
        var info = info
        info.position = report.position ?? .null
        info.checksum = report.checksum
        return info.json
    }

    @Test("a backup is written, reported, repeated by report only, and restored into another instance")
    func roundTrip() async throws {
        try await AgentFixture.run { fixture in
            let info = fixture.backupInfo("b-1")
            var report: BackupReport?
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try FileAccess.write(Self.blob, to: fixture.instance.root + "/data/blob")
                let made = try await Self.backUp(fixture, info)
                #expect(await fixture.conductor.states("b-1") == [.building, .completed])
                #expect(made.sizeBytes ?? 0 > Self.blob.count)
                #expect(made.checksum?.count == 64 && made.position == ["files": 1] && made.location == info.location)
                report = made
                let again = try await Self.backUp(fixture, info)
                #expect(again.checksum == made.checksum)
                #expect(
                    try await eventually {
                        await fixture.conductor.states("b-1") == [.building, .completed, .completed]
                    })
            }
            let made = try #require(report)
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await Self.backUp(fixture, info).checksum == made.checksum)
            }
            try await Self.restore(info, made, from: fixture)
        }
    }

    /// Restores into a new instance that shares the object store.
    static func restore(_ info: BackupInfo, _ report: BackupReport, from other: AgentFixture) async throws {
        let objects = other.instance.configuration.objectStoreDirectory
        try await AgentFixture.run { document in
            document.merging(["object_store": ["directory": .string(objects)]]) { $1 }
        } _: { fixture in
            try "old".write(toFile: fixture.instance.root + "/data/leftover", atomically: true, encoding: .utf8)
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                var arguments = fixture.prepareArguments(backup: restoreInfo(info, report))
                arguments.databases = []
                #expect(try await fixture.prepare(arguments))
                #expect(try FileAccess.read(fixture.instance.root + "/data/blob") == blob)
                #expect(fixture.instance.exists("data/db/first") && fixture.instance.exists("data/post-restored"))
                #expect(!fixture.instance.exists("data/leftover"))
                #expect(fixture.instance.content("data/was-restored") == "true")
            }
        }
    }

    @Test("a damaged, absent or foreign object fails the restore and leaves nothing", arguments: 0...3)
    func refusesDamage(_ kind: Int) async throws {
        try await AgentFixture.run { fixture in
            var info = fixture.backupInfo("b-2")
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try FileAccess.write(Self.blob, to: fixture.instance.root + "/data/blob")
                let report = try await Self.backUp(fixture, info)
                info.position = report.position ?? .null
                _ = try await fixture.call(.stopDatabase)
            }
            switch kind {
            case 0: try Self.damage(fixture)
            case 1: try Self.store(fixture).delete("project/b-2")
            case 2: info.location = "file:///elsewhere/project/b-2"
            default: info.dataKey = Secret(Base64.encode([UInt8](repeating: 1, count: 32)))
            }
            for name in ["prepared", "desired.json"] { unlink(fixture.instance.root + "/state/" + name) }
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                let arguments = fixture.prepareArguments(backup: info.json)
                try await fixture.guest.prepare(fixture.id, arguments, context: fixture.context)
                #expect(try await fixture.reports(.failedToSpawn))
                #expect(FileAccess.names(in: fixture.instance.root + "/data") == [])
                #expect(try await eventually { await fixture.conductor.faults.last?.message.contains("b-2") == true })
            }
        }
    }

    /// Changes one byte near the object's end.
    static func damage(_ fixture: AgentFixture) throws {
        let root = fixture.instance.configuration.objectStoreDirectory
        let names = try #require(FileManager.default.subpaths(atPath: root))
        let files = names.map { root + "/" + $0 }.filter { path in
            var isDirectory: ObjCBool = false
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
        }
        for path in files {
            guard var content = try FileAccess.read(path), content.count > 1_000_000 else { continue }
            content[content.count - 5000] ^= 1
            try FileAccess.write(content, to: path)
        }
    }

    @Test("a strategy that cannot unpack fails the restore")
    func failsToUnpack() async throws {
        try await AgentFixture.run { fixture in
            let info = fixture.backupInfo("b-3")
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                _ = try await Self.backUp(fixture, info)
                _ = try await fixture.call(.stopDatabase)
            }
            for name in ["prepared", "desired.json"] { unlink(fixture.instance.root + "/state/" + name) }
            try fixture.instance.behave("restore-fail")
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                let arguments = fixture.prepareArguments(backup: info.json)
                try await fixture.guest.prepare(fixture.id, arguments, context: fixture.context)
                #expect(try await fixture.reports(.failedToSpawn))
                #expect(
                    try await eventually {
                        await fixture.conductor.faults.last?.message.contains("cannot unpack") == true
                    })
                #expect(FileAccess.names(in: fixture.instance.root + "/data") == [])
            }
        }
    }

    @Test("a strategy that fails leaves no object and is reported, again when asked again")
    func failsCleanly() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try FileAccess.write(Self.blob, to: fixture.instance.root + "/data/blob")
                try fixture.instance.behave("backup-fail")
                let info = fixture.backupInfo("b-4")
                let report = try await Self.backUp(fixture, info)
                #expect(report.state == .failed && report.message?.contains("the engine said no") == true)
                #expect(try Self.store(fixture).list() == [])
                fixture.instance.behaveNormally("backup-fail")
                try await fixture.guest.createBackup(fixture.id, info, context: fixture.context)
                #expect(
                    try await eventually { await fixture.conductor.states("b-4") == [.building, .failed, .failed] })
            }
        }
    }

    @Test("a backup of a stopped database fails; one outside the store is refused")
    func refusesWhenStopped() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (agent: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                _ = try await fixture.call(.stopDatabase)
                let report = try await Self.backUp(fixture, fixture.backupInfo("b-5"))
                #expect(report.state == .failed && report.message?.contains("not running") == true)
                var info = fixture.backupInfo("b-6")
                info.location = "file:///etc/project/b-6"
                let foreign = info
                await #expect(throws: GuestAgentError.self) {
                    try await agent.backups.create(foreign, context: fixture.context)
                }
            }
        }
    }

    @Test("status and users go on during a long backup, and a repeat is ignored")
    func goesOnDuringBackup() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try fixture.instance.behave("backup-slow")
                let info = fixture.backupInfo("b-7")
                try await fixture.guest.createBackup(fixture.id, info, context: fixture.context)
                #expect(try await eventually { fixture.instance.exists("run/backup-began") })
                try await fixture.guest.createBackup(fixture.id, info, context: fixture.context)
                #expect(try await fixture.call(.isRootEnabled) == false)
                fixture.instance.behaveNormally("backup-slow")
                #expect(try await eventually { await fixture.conductor.states("b-7") == [.building, .completed] })
            }
        }
    }

    @Test("an agent that ends during a backup leaves it to the next, which reports it or makes it anew")
    func recoversInterrupted() async throws {
        try await AgentFixture.run { fixture in
            let info = fixture.backupInfo("b-8")
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await fixture.prepare())
                try fixture.instance.behave("backup-slow")
                try await fixture.guest.createBackup(fixture.id, info, context: fixture.context)
                #expect(try await eventually { fixture.instance.exists("run/backup-began") })
            }
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                #expect(try await eventually { await fixture.conductor.states("b-8") == [.building, .failed] })
                #expect(try Self.store(fixture).list() == [])
                fixture.instance.behaveNormally("backup-slow")
                let report = try await Self.backUp(fixture, info)
                #expect(report.state == .building || report.state == .completed || report.state == .failed)
                #expect(try await eventually { await fixture.conductor.states("b-8").last == .completed })
            }
        }
    }

    @Test("a template is filled once and a second fill is refused with the plugin's reason")
    func initializes() async throws {
        try await withTemporaryDirectory { root in
            let instance = try InstanceFixture(root: root) { $0.merging(["mode": "initialize"]) { $1 } }
            try await TemplateInitialization.run(
                instance.configuration, probeCommand: [], logger: InstanceFixture.quiet)
            #expect(instance.exists("data/template"))
            let error = await #expect(throws: (any Error).self) {
                try await TemplateInitialization.run(
                    instance.configuration, probeCommand: [], logger: InstanceFixture.quiet)
            }
            #expect("\(error.map(String.init(describing:)) ?? "")".contains("not empty"))
        }
    }
}
