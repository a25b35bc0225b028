// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Testing

@testable import Compute

@Suite("Inventory")
struct InventoryTests {
    @Test("what the host has is told, and what volumes are promised of it")
    func facts() async throws {
        try await TestHost.run(.plain) { host, compute in
            let before = try await compute.facts()
            #expect(before.name == host.configuration.host && before.memoryMiB > 0 && before.promisedBytes == 0)
            #expect(before.freeVolumeBytes > 0 && before.freeVolumeBytes <= before.volumeBytes)
            #expect(before.promisableBytes > 0)
            try await compute.makeInstance("a")
            #expect(try await compute.facts().promisedBytes == 1 << 30)
            try await compute.removeInstance("a")
            #expect(try await compute.facts().promisedBytes == 0)
        }
    }

    @Test("things of this home that no instance has are reported", .enabled(if: TestHost.isRoot))
    func strays() async throws {
        try await TestHost.run { host, compute in
            guard compute.volumes.hasImages, compute.groups.isAvailable else { return }
            let paths = compute.paths
            // A mount of an image of this home somewhere else, with its loop device.
            let image = "\(paths.home)/stray.img"
            let elsewhere = "\(host.base)/elsewhere"
            try HostFiles.makeDirectory(elsewhere, mode: 0o700)
            try compute.volumes.format(image, bytes: 1 << 30)
            try compute.volumes.mountNew(image, at: elsewhere)
            let limits = GroupLimits(memoryBytes: 64 << 20, vcpus: 1, processes: 10)
            try compute.groups.make("ghost", agent: limits, engine: limits)
            #expect(try compute.claims.take(.uid, "64999", for: "ghost"))
            try HostFiles.makeDirectory(paths.instance("ghost2"), mode: 0o711)
            try HostFiles.writeAtomically(paths.image("ghost2"), [0])
            let found = Set(try await compute.inventory())
            #expect(
                found == [
                    ComputeResource(kind: "loop", tag: image, ownerID: nil),
                    ComputeResource(kind: "mount", tag: elsewhere, ownerID: nil),
                    ComputeResource(kind: "cgroup", tag: paths.group("ghost"), ownerID: "ghost"),
                    ComputeResource(kind: "uid", tag: "ghost", ownerID: "ghost"),
                    ComputeResource(kind: "directory", tag: paths.instance("ghost2"), ownerID: "ghost2"),
                    ComputeResource(kind: "image", tag: paths.image("ghost2"), ownerID: "ghost2"),
                ])
            try await compute.removeInstance("ghost")
            try await compute.removeInstance("ghost2")
            try compute.volumes.unmount(image, at: elsewhere)
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("processes without an instance are reported", .enabled(if: TestHost.canRunAgents), arguments: TestHost.modes)
    func strayProcess(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            let path = "\(compute.paths.home)/stray.json"
            try HostFiles.writeAtomically(path, Array("{\"mode\":\"hold\",\"data_dir\":\"/nonexistent\"}".utf8))
            let launch = ProcessLaunch(
                arguments: [host.configuration.guestExecutable, "--config", path], environment: [:], isDetached: true)
            let stray = try launch.start()
            defer { stray.close() }
            #expect(try await compute.inventory() == [ComputeResource(kind: "process", tag: path, ownerID: nil)])
            #expect(clinux_pidfd_signal(stray.pidfd, SIGKILL) == 0)
        }
    }

    @Test("another home's things are not reported")
    func otherHome() async throws {
        try await TestHost.run(.plain) { host, compute in
            var configuration = host.configuration
            configuration.home = "\(host.base)/second"
            let other = try await LocalCompute.open(configuration)
            _ = try await other.allocate("b", ports: [])
            #expect(try await compute.inventory() == [])
            await other.close()
        }
    }

    @Test("cleaning up leaves nothing outside the home", .enabled(if: TestHost.canRunAgents), arguments: TestHost.modes)
    func cleanUp(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            try await compute.makeInstance("a")
            try await compute.cleanUp()
            #expect(HostFiles.exists(compute.paths.runInstance("a")))
            #expect(await compute.serverStatus("a") == .active)
            try await compute.removeInstance("a")
            try await compute.cleanUp()
            #expect(!HostFiles.exists(host.configuration.runDirectory))
            #expect(compute.groups.groups().isEmpty)
        }
    }

    @Test("tags depend on the id alone", arguments: ComputeEffect.allCases)
    func tags(effect: ComputeEffect) async throws {
        try await TestHost.run(.plain) { host, compute in
            let again = try await LocalCompute.open(host.configuration)
            let resources = compute.resources(for: "a", effect: effect)
            #expect(resources == again.resources(for: "a", effect: effect))
            #expect(Set(resources).count == resources.count)
            #expect(resources.allSatisfy { $0.ownerID == "a" })
            await again.close()
        }
    }
}
