// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Testing

@testable import Compute

@Suite("Several processes on one home", .enabled(if: TestHost.canRunAgents))
struct SharedHomeTests {
    @Test("two processes at the limit never promise more than it", arguments: TestHost.modes)
    func promises(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode, prepare: Self.limit(5)) { host, compute in
            let processes = try ["x", "y"].map { try CheckProcess(host, ["fill", $0, "6"]) }
            for process in processes { #expect(process.line() == "ready") }
            let made = try processes.map { try #require(Int($0.line())) }
            #expect(made.reduce(0, +) == 5, "\(made)")
            #expect(compute.promised.total == 5 << 30)
            for id in compute.instanceIDs() { try await compute.removeInstance(id) }
            #expect(compute.promised.total == 0)
            #expect(HostFiles.list(compute.paths.locks).allSatisfy { $0.hasPrefix("@") })
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("a template is made once, and used by all", arguments: TestHost.modes)
    func template(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            let guest: [String: JSONValue] = ["behave": "slow", "trace": .string("\(host.base)/trace")]
            let processes = try (0..<2).map { _ in try CheckProcess(host, guest: guest, ["template", "key1"]) }
            try await compute.ensureTemplate(host.template("key1", guest))
            for process in processes { #expect([process.line(), process.line()] == ["ready", "done"]) }
            #expect(HostFiles.readText("\(host.base)/trace")?.split(separator: "\n").count == 1)
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("a process that dies while it makes a template leaves that to another one", arguments: TestHost.modes)
    func templateKilled(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            let guest: [String: JSONValue] = ["behave": "slow"]
            for (number, delay) in [0, 20, 60, 150, 320, 400].enumerated() {
                let key = "key\(number)"
                let process = try CheckProcess(host, guest: guest, ["template", key])
                #expect(process.line() == "ready")
                usleep(UInt32(delay) * 1000)
                process.kill()
                try await compute.ensureTemplate(host.template(key))
                #expect(try await compute.inventory() == [], "killed after \(delay) ms")
                let left = ProcessEntry.all().filter { $0.configuration?.hasPrefix(host.base) == true }
                #expect(left.isEmpty, "killed after \(delay) ms: \(left)")
                _ = try await compute.allocate("a", ports: [])
                let volume = try await compute.createVolume(
                    VolumeRequest(instanceID: "a", sizeGiB: 1, templateKey: key))
                #expect(HostFiles.list("\(volume.dataDirectory)/db").count == 180)
                try await compute.removeInstance("a")
            }
        }
    }

    @Test(
        "a process that dies at any time of a create or a delete leaves the rest to another one",
        arguments: TestHost.modes)
    func createKilled(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode, prepare: { $0.spareImages = 1 }) { host, compute in
            try await compute.ensureTemplate(host.template())
            for step in 0..<14 {
                let id = "a\(step)"
                let create = try CheckProcess(host, ["create", id, "key1"])
                #expect(create.line() == "ready")
                usleep(UInt32(step * step * 500))
                create.kill()
                try await compute.makeInstance(id, templateKey: "key1")
                #expect(HostFiles.list("\(compute.dataDirectory(id))/db").count == 180)
                _ = try #require(compute.enginePID(id), "killed at step \(step): \(compute.remains(id))")
                let path = compute.paths.guestConfiguration(id)
                let agents = { ProcessEntry.all().filter { $0.configuration == path } }
                // For a moment an agent's child looks like the agent.
                #expect(poll(for: .seconds(2)) { agents().count == 1 }, "killed at step \(step): \(agents())")
                #expect(Set(try await compute.inventory()) == compute.allResources(id), "killed at step \(step)")
                #expect(compute.promised.total == 1 << 30)
                let delete = try CheckProcess(host, ["delete", id])
                #expect(delete.line() == "ready")
                usleep(UInt32(step * step * 500))
                delete.kill()
                try await compute.removeInstance(id)
                compute.sweep()
                #expect(try await compute.inventory() == [], "killed at step \(step)")
                #expect(compute.promised.total == 0)
            }
        }
    }

    @Test("the keeper's role passes on when its holder dies, and with it what that one left")
    func keeper() async throws {
        let host = try TestHost(.plain)
        defer { host.sweep() }
        let process = try CheckProcess(host, ["stay"])
        #expect(process.line() == "ready")
        let compute = try await LocalCompute.open(host.configuration)
        #expect(!compute.isKeeper)
        var start: UInt64 = 0
        var state: CChar = 0
        #expect(clinux_process_stat(process.pid, &start, &state) == 0)
        let trash = "\(host.paths.trash)/\(process.pid).\(start)-left"
        try HostFiles.writeAtomically(trash, [1])
        compute.sweep()
        try await compute.background.run { () throws(ComputeError) in }
        #expect(HostFiles.exists(trash))
        process.kill()
        #expect(poll(for: .seconds(5)) { compute.isKeeper && !HostFiles.exists(trash) })
        await compute.close()
        let after = try await LocalCompute.open(host.configuration)
        #expect(after.isKeeper)
        await after.close()
    }

    @Test("the end of an agent that another process started is told", arguments: TestHost.modes)
    func watch(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            try await compute.ensureTemplate(host.template())
            let process = try CheckProcess(host, ["create", "a", "key1"])
            #expect([process.line(), process.line()] == ["ready", "done"])
            let (ends, continuation) = AsyncStream.makeStream(of: String.self)
            await compute.watch(["a"]) { continuation.yield($0) }
            let agent = try #require(compute.liveAgent("a"))
            defer { agent.close() }
            #expect(clinux_pidfd_signal(agent.pidfd, SIGKILL) == 0)
            var iterator = ends.makeAsyncIterator()
            #expect(await iterator.next() == "a")
            try await compute.ensureServer("a")
            #expect(await compute.serverStatus("a") == .active)
            try await compute.removeInstance("a")
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("an instance of another host is left alone, and asking for it names both hosts")
    func otherHost() async throws {
        try await TestHost.run(.plain, prepare: { $0.host = "one" }) { host, compute in
            try await compute.makeInstance("a")
            var configuration = host.configuration
            configuration.host = "two"
            let other = try await LocalCompute.open(configuration)
            #expect(other.host == "two")
            #expect(try await other.inventory() == [])
            let error = await computeError { try await other.ensureServer("a") }
            #expect(error?.message.hasPrefix("instance a is on host one, and this process works for host two") == true)
            #expect(await computeError { try await other.deleteVolume("a") }?.code == .unsupported)
            await other.close()
            try await compute.removeInstance("a")
        }
    }

    /// A limit of so many GiB, whatever the size of the file system.
    private static func limit(_ gibibytes: Int) -> (inout LocalComputeConfiguration) -> Void {
        { configuration in
            var info = statvfs()
            _ = statvfs("/tmp", &info)
            let size = Double(info.f_blocks) * Double(info.f_frsize)
            configuration.overcommit = (Double(gibibytes) + 0.5) * Double(1 << 30) / size
        }
    }
}
