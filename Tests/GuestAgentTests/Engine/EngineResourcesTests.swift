// SPDX-License-Identifier: Apache-2.0

import Calls
import Foundation
import Messaging
import Model
import TestSupport
import Testing

@testable import GuestAgent

@Suite struct EngineResourcesTests {
    @Test("the engine's process is told while it runs")
    func running() async throws {
        try await AgentFixture.run { fixture in
            try await fixture.withAgent { (_: GuestAgentService) async throws -> Void in
                await VerbTests.expectFault("GuestError") { try await fixture.call(.getDiagnostics) }
                #expect(try await fixture.prepare())
                let told = try #require(GuestDiagnostics(json: try await fixture.call(.getDiagnostics)))
                #expect(told.version == Product.version && told.threads > 0 && told.descriptorSlots > 0)
                #expect(told.residentKiB > 0 && told.residentKiB <= told.peakResidentKiB)
                #expect(told.sizeKiB >= told.residentKiB && told.sizeKiB <= told.peakSizeKiB)
                let hardware = try #require(GuestHardware(json: try await fixture.call(.getHardware)))
                #expect(hardware.memoryKiB > 0 && hardware.processors > 0)
                _ = try await fixture.call(.stopDatabase)
                await VerbTests.expectFault("GuestError") { try await fixture.call(.getDiagnostics) }
            }
        }
    }

    private func write(_ files: [String: String], below directory: String) throws {
        for (name, text) in files {
            let path = directory + "/" + name
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    @Test("limits are those of the control groups, of either version, and the flavor's without")
    func limits() async throws {
        try await withTemporaryDirectory { directory in
            var configuration = try InstanceFixture(root: directory).configuration
            configuration.memoryMB = 512
            configuration.vcpus = 3
            try write(
                [
                    "v2/memory.max": "268435456\n", "v2/cpu.max": "150000 100000\n",
                    "v1/memory.limit_in_bytes": "134217728\n",
                    "v1/cpu.cfs_quota_us": "100000\n", "v1/cpu.cfs_period_us": "100000\n", "free/memory.max": "max\n",
                    "free/cpu.max": "max 100000\n", "old/memory.limit_in_bytes": "9223372036854771712\n",
                    "old/cpu.cfs_quota_us": "-1\n", "old/cpu.cfs_period_us": "100000\n",
                ], below: directory)
            for (groups, memory, processors) in [
                ([], 524_288, 3), (["v2"], 262_144, 2), (["v1"], 131_072, 1), (["free"], 524_288, 3),
                (["old"], 524_288, 3), (["free", "v2"], 262_144, 2), (["absent"], 524_288, 3),
            ] as [([String], Int, Int)] {
                configuration.cgroupProcs = groups.map { "\(directory)/\($0)/cgroup.procs" }
                let hardware = EngineResources(configuration: configuration).hardware
                #expect(hardware == GuestHardware(memoryKiB: memory, processors: processors), "\(groups)")
            }
        }
    }

    @Test("a process that has ended is said to, not told with zeros")
    func ended() async throws {
        try await withTemporaryDirectory { directory in
            let configuration = try InstanceFixture(root: directory).configuration
            try write(["7/status": "Name:\tdb\nState:\tZ (zombie)\nThreads:\t1\nFDSize:\t0\n"], below: directory)
            let resources = EngineResources(configuration: configuration, processes: directory)
            for pid in [7, 8] as [Int32] {
                #expect {
                    try resources.diagnostics(pid: pid)
                } throws: {
                    ($0 as? GuestAgentError)?.code == .notReady
                }
            }
        }
    }
}
