// SPDX-License-Identifier: Apache-2.0

import Glibc
import Model
import Testing

@testable import Compute

@Suite("Growing volumes")
struct GrowTests {
    private func sizeMiB(_ path: String) -> UInt64 {
        var info = statvfs()
        return statvfs(path, &info) == 0 ? (UInt64(info.f_blocks) * UInt64(info.f_frsize)) >> 20 : 0
    }

    @Test("a volume in use grows, once, and never shrinks", arguments: TestHost.modes)
    func grows(_ mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { _, compute in
            _ = try await compute.allocate("a", ports: [])
            let volume = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 1, templateKey: nil))
            let file = volume.dataDirectory + "/kept"
            try HostFiles.writeAtomically(file, Array("data".utf8))
            for _ in 0..<2 {
                try await compute.growVolume("a", sizeGiB: 3)
                #expect(compute.promised.total == 3 << 30)
                #expect(VolumeRecord(HostFiles.readJSON(compute.paths.volumeRecord("a")))?.sizeGiB == 3)
                if compute.volumes.hasImages { #expect((2700...3072).contains(sizeMiB(volume.dataDirectory))) }
            }
            #expect(HostFiles.readText(file) == "data")
            let shrinks = await computeError { try await compute.growVolume("a", sizeGiB: 2) }
            #expect(shrinks?.code == .unsupported)
            let unknown = await computeError { try await compute.growVolume("b", sizeGiB: 2) }
            #expect(unknown?.code == .missing)
        }
    }

    @Test("past what may be promised nothing is changed", arguments: TestHost.modes)
    func refused(_ mode: TestHost.Mode) async throws {
        try await TestHost.run(mode, prepare: { $0.overcommit = 1 }) { _, compute in
            _ = try await compute.allocate("a", ports: [])
            _ = try await compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 1, templateKey: nil))
            let error = await computeError { try await compute.growVolume("a", sizeGiB: 1 << 20) }
            #expect(error?.code == .exhausted)
            #expect(compute.promised.total == 1 << 30)
            #expect(VolumeRecord(HostFiles.readJSON(compute.paths.volumeRecord("a")))?.sizeGiB == 1)
        }
    }
}
