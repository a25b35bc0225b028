// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Testing

@testable import Compute

@Suite("Volumes")
struct VolumeTests {
    private func owner(_ path: String) -> UInt32? {
        var info = stat()
        return lstat(path, &info) == 0 ? info.st_uid : nil
    }

    private func sizeMiB(_ path: String) -> UInt64 {
        var info = statvfs()
        return statvfs(path, &info) == 0 ? (UInt64(info.f_blocks) * UInt64(info.f_frsize)) >> 20 : 0
    }

    @Test(
        "an empty volume is a file system of the asked size that belongs to the instance", .enabled(if: TestHost.isRoot)
    )
    func empty() async throws {
        try await TestHost.run { _, compute in
            let placement = try await compute.allocate("a", ports: [])
            let request = VolumeRequest(instanceID: "a", sizeGiB: 2, templateKey: nil)
            let volume = try await compute.createVolume(request)
            #expect(owner(volume.dataDirectory) == placement.uid)
            #expect(HostFiles.list(volume.dataDirectory) == [])
            guard compute.volumes.hasImages else { return }
            #expect((1800...2048).contains(sizeMiB(volume.dataDirectory)))
            #expect(try await compute.createVolume(request) == volume)
            #expect(LoopTable.all { $0 == compute.paths.image("a") }.count == 1)
            let differs = await computeError {
                _ = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 3, templateKey: nil))
            }
            #expect(differs?.code == .failed)
            try await compute.deleteVolume("a")
            try await compute.deleteVolume("a")
            #expect(LoopTable.all { $0.hasPrefix(compute.paths.home) }.isEmpty)
            #expect(HostFiles.list(compute.paths.instance("a")) == ["placement.json"])
        }
    }

    @Test(
        "whatever step a crash came after, a repeat makes the volume", .enabled(if: TestHost.isRoot), arguments: 0..<6)
    func crashes(step: Int) async throws {
        try await TestHost.run { host, compute in
            guard compute.volumes.hasImages else { return }
            let placement = try await compute.allocate("a", ports: [])
            let paths = compute.paths
            let record = VolumeRecord(sizeGiB: 2, templateKey: nil, isReady: false)
            try HostFiles.writeJSON(paths.volumeRecord("a"), record.json)
            if step >= 1 { try compute.volumes.format(paths.image("a") + ".partial", bytes: 1 << 30) }
            if step >= 2 { try HostFiles.move(paths.image("a") + ".partial", paths.image("a")) }
            var loop: Int32 = -1
            if step == 3 {
                // Somebody attached the image without mounting it, and still holds the device.
                let image = open(paths.image("a"), O_RDWR)
                var number: Int32 = -1
                #expect(clinux_loop_attach(image, paths.image("a"), &number, &loop) == 0)
                close(image)
            }
            if step >= 4 {
                try compute.makeRunDirectory("a")
                try compute.volumes.mountNew(paths.image("a"), at: paths.mount("a"))
            }
            if step >= 5 {
                #expect(truncate(paths.image("a"), 2 << 30) == 0)
                try compute.volumes.grow(paths.mount("a"), to: 2 << 30)
            }
            let after = try await LocalCompute.open(host.configuration)
            let volume = try await after.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 2, templateKey: nil))
            #expect((1800...2048).contains(sizeMiB(volume.dataDirectory)))
            #expect(owner(volume.dataDirectory) == placement.uid)
            #expect(LoopTable.all { $0 == paths.image("a") }.count == 1)
            #expect(after.promised.total == 2 << 30)
            if loop >= 0 { close(loop) }
            try await after.deleteVolume("a")
            try await after.release("a")
            #expect(try await after.inventory() == [])
            await after.close()
        }
    }

    @Test("promises past the limit are refused, and deleting makes room", arguments: TestHost.modes)
    func promises(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, _ in
            var info = statvfs()
            #expect(statvfs(host.base, &info) == 0)
            var configuration = host.configuration
            configuration.overcommit = 2.5 * Double(1 << 30) / (Double(info.f_blocks) * Double(info.f_frsize))
            let compute = try await LocalCompute.open(configuration)
            for id in ["a", "b"] { _ = try await compute.allocate(id, ports: []) }
            let first = VolumeRequest(instanceID: "a", sizeGiB: 2, templateKey: nil)
            let second = VolumeRequest(instanceID: "b", sizeGiB: 1, templateKey: nil)
            _ = try await compute.createVolume(first)
            let error = await computeError { _ = try await compute.createVolume(second) }
            #expect(error?.code == .exhausted)
            #expect(error?.message.contains("overcommit") == true)
            try await compute.deleteVolume("a")
            _ = try await compute.createVolume(second)
            try await compute.deleteVolume("b")
            await compute.close()
        }
    }

    @Test("less free space than the reserve is exhaustion")
    func reserve() async throws {
        try await TestHost.run(.plain, prepare: { $0.reserveGiB = 1 << 30 }) { _, compute in
            _ = try await compute.allocate("a", ports: [])
            let error = await computeError {
                _ = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 1, templateKey: nil))
            }
            #expect(error?.code == .exhausted)
            #expect(error?.message.contains("reserve") == true)
        }
    }

    @Test("a volume needs a placement, a template and a size")
    func preconditions() async throws {
        try await TestHost.run(.plain) { _, compute in
            let unplaced = await computeError {
                _ = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 1, templateKey: nil))
            }
            #expect(unplaced?.code == .missing)
            _ = try await compute.allocate("a", ports: [])
            let untemplated = await computeError {
                _ = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 1, templateKey: "none"))
            }
            #expect(untemplated?.code == .missing)
            #expect(untemplated?.isRetryable == true)
            let sizeless = await computeError {
                _ = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 0, templateKey: nil))
            }
            #expect(sizeless?.code == .unsupported)
        }
    }

    @Test("copies keep holes and content; trees are removed but never across a mount")
    func trees() throws {
        let host = try TestHost(.plain)
        defer { host.sweep() }
        let from = "\(host.base)/from"
        let descriptor = open(from, O_RDWR | O_CREAT, 0o600)
        #expect(ftruncate(descriptor, 64 << 20) == 0)
        #expect(pwrite(descriptor, "middle", 6, 32 << 20) == 6)
        let copy = open("\(host.base)/to", O_RDWR | O_CREAT, 0o600)
        #expect(clinux_copy_file(descriptor, copy) == 0)
        var info = stat()
        #expect(fstat(copy, &info) == 0)
        #expect(info.st_size == 64 << 20)
        #expect(info.st_blocks * 512 < 1 << 20)
        var buffer = [UInt8](repeating: 0, count: 6)
        #expect(pread(copy, &buffer, 6, 32 << 20) == 6)
        #expect(String(decoding: buffer, as: UTF8.self) == "middle")
        close(descriptor)
        close(copy)
        try HostFiles.makeDirectories("\(host.base)/tree/in/ner", mode: 0o750)
        try HostFiles.writeAtomically("\(host.base)/tree/in/file", Array("x".utf8))
        #expect(symlink("file", "\(host.base)/tree/in/link") == 0)
        #expect(clinux_copy_tree("\(host.base)/tree", "\(host.base)/tree2") == 0)
        #expect(HostFiles.readText("\(host.base)/tree2/in/link") == "x")
        #expect(clinux_copy_tree("\(host.base)/tree", "\(host.base)/tree2") == EEXIST)
        try HostFiles.removeTree("\(host.base)/tree2")
        try HostFiles.removeTree("\(host.base)/tree2")
        #expect(!HostFiles.exists("\(host.base)/tree2"))
    }
}
