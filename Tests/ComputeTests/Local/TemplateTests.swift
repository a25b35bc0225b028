// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Testing

@testable import Compute

@Suite("Templates", .enabled(if: TestHost.canRunAgents))
struct TemplateTests {
    @Test("concurrent callers get one template, and a volume is its copy", arguments: TestHost.modes)
    func copies(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            try await withThrowingTaskGroup { group in
                for _ in 0..<4 { group.addTask { try await compute.ensureTemplate(host.template()) } }
                try await group.waitForAll()
            }
            // One run of the agent, one line.
            #expect(HostFiles.readText(compute.paths.templateLog("key1")) == "agent up")
            #expect(try await compute.inventory() == [])
            let placement = try await compute.allocate("a", ports: [])
            let volume = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 3, templateKey: "key1"))
            var info = stat()
            #expect(lstat("\(volume.dataDirectory)/db/t179", &info) == 0)
            #expect(info.st_size == 128 * 1024)
            #expect(info.st_uid == placement.uid)
            try await compute.deleteVolume("a")
            try await compute.release("a")
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("a new key replaces the old one of the same version only", arguments: TestHost.modes)
    func replaces(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            try await compute.ensureTemplate(host.template("old"))
            try await compute.ensureTemplate(host.template("other", version: "2"))
            try await compute.ensureTemplate(host.template("new"))
            #expect(Set(compute.templateKeys()) == ["new", "other"])
            #expect(!HostFiles.exists(compute.templatePath("old")))
            #expect(HostFiles.exists(compute.templatePath("other")))
        }
    }

    @Test("a failed or hanging initialisation leaves nothing and can be repeated", arguments: TestHost.modes)
    func failures(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode, prepare: { $0.templateTimeout = .milliseconds(1500) }) { host, compute in
            let failed = await computeError {
                try await compute.ensureTemplate(host.template("key1", ["behave": "fail"]))
            }
            #expect(failed?.code == .failed)
            #expect(failed?.message.contains("exit code 3") == true)
            let hung = await computeError {
                try await compute.ensureTemplate(host.template("key2", ["behave": "hang"]))
            }
            #expect(hung?.code == .timedOut)
            #expect(try await compute.inventory() == [])
            #expect(HostFiles.list(compute.paths.templates).allSatisfy { $0.hasSuffix(".log") })
            try await compute.ensureTemplate(host.template("key1"))
            #expect(HostFiles.exists(compute.templatePath("key1")))
        }
    }

    @Test("what an interrupted build left is removed at the next start", .enabled(if: TestHost.isRoot))
    func interrupted() async throws {
        try await TestHost.run { host, compute in
            guard compute.volumes.hasImages else { return }
            let id = compute.buildID("key9")
            let directory = "\(compute.paths.templates)/.build-key9"
            try HostFiles.makeDirectory(directory, mode: 0o700)
            _ = try compute.claimUID(id)
            try compute.volumes.format("\(directory)/volume.img", bytes: VolumeHost.templateBytes)
            try compute.makeRunDirectory(id)
            try compute.volumes.mountNew("\(directory)/volume.img", at: compute.paths.mount(id))
            try HostFiles.writeAtomically("\(compute.paths.templates)/key9.spare0.partial", [1])
            #expect(try await compute.inventory().map(\.kind).sorted() == ["directory", "loop", "mount", "uid"])
            let after = try await LocalCompute.open(host.configuration)
            #expect(try await after.inventory() == [])
            #expect(HostFiles.list(after.paths.templates) == [])
            await after.close()
        }
    }

    @Test("spare images make a new volume a rename, and are made again", .enabled(if: TestHost.isRoot))
    func spares() async throws {
        try await TestHost.run(prepare: { $0.spareImages = 2 }) { host, compute in
            guard compute.volumes.hasImages else { return }
            try await compute.ensureTemplate(host.template())
            await compute.spares.finish()
            #expect((0..<2).allSatisfy { HostFiles.exists(compute.paths.spare("key1", $0)) })
            for id in ["a", "b", "c"] {
                _ = try await compute.allocate(id, ports: [])
                let volume = try await compute.createVolume(
                    VolumeRequest(instanceID: id, sizeGiB: 5, templateKey: "key1"))
                #expect(HostFiles.list("\(volume.dataDirectory)/db").count == 180)
            }
            await compute.spares.finish()
            #expect((0..<2).allSatisfy { HostFiles.exists(compute.paths.spare("key1", $0)) })
            for id in ["a", "b", "c"] { try await compute.removeInstance(id) }
            try await compute.ensureTemplate(host.template("key2"))
            await compute.spares.finish()
            try await compute.background.run { () throws(ComputeError) in }
            #expect(HostFiles.list(compute.paths.templates).allSatisfy { $0.hasPrefix("key2") })
        }
    }

    @Test("what another process is making is left alone until that one ends")
    func secondProcess() async throws {
        let host = try TestHost(.plain)
        defer { host.sweep() }
        let first = try await LocalCompute.open(host.configuration)
        await first.close()
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        var launch = ProcessLaunch(
            arguments: [host.configuration.guestExecutable, "lock", host.paths.templateLock("key1")], environment: [:])
        launch.output = ends[1]
        let builder = try launch.start()
        defer { builder.close() }
        close(ends[1])
        var answer: UInt8 = 0
        #expect(read(ends[0], &answer, 1) == 1)
        let unfinished = "\(host.paths.templates)/.build-key1"
        try HostFiles.makeDirectory(unfinished, mode: 0o700)
        let second = try await LocalCompute.open(host.configuration)
        await second.close()
        #expect(HostFiles.exists(unfinished))
        #expect(clinux_pidfd_signal(builder.pidfd, SIGKILL) == 0)
        var status: Int32 = 0
        #expect(clinux_pidfd_wait(builder.pidfd, 5000, &status) == 0)
        let third = try await LocalCompute.open(host.configuration)
        await third.close()
        #expect(!HostFiles.exists(unfinished))
    }
}
