// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Testing

@testable import Compute

@Suite("Agents and engines", .enabled(if: TestHost.canRunAgents))
struct ServerTests {
    private func agentPID(_ compute: LocalCompute, _ id: String) -> pid_t? {
        let agent = compute.liveAgent(id)
        agent?.close()
        return agent?.pid
    }

    @Test("an instance is made, found again by a repeat, and goes without a trace", arguments: TestHost.modes)
    func lifecycle(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { _, compute in
            #expect(await compute.serverStatus("a") == .deleted)
            let placement = try await compute.makeInstance("a")
            let engine = try #require(compute.enginePID("a"))
            let agent = try #require(agentPID(compute, "a"))
            #expect(await compute.serverStatus("a") == .active)
            #expect(Set(try await compute.inventory()) == compute.allResources("a"))
            try await compute.makeInstance("a")
            #expect(agentPID(compute, "a") == agent)
            var info = stat()
            #expect(lstat(compute.paths.guestConfiguration("a"), &info) == 0)
            #expect(info.st_mode & 0o777 == 0o600)
            #expect(lstat("/proc/\(engine)", &info) == 0)
            #expect(info.st_uid == placement.uid)
            try await compute.deleteServer("a")
            #expect(!isRunning(engine))
            #expect(!isRunning(agent))
            #expect(await compute.serverStatus("a") == .build)
            try await compute.deleteServer("a")
            try await compute.deleteVolume("a")
            try await compute.release("a")
            #expect(try await compute.inventory() == [])
            for _ in 0..<2 { try await compute.removeInstance("a") }
        }
    }

    @Test("agent and engine are limited as the flavor says", .enabled(if: TestHost.isRoot))
    func limits() async throws {
        try await TestHost.run { _, compute in
            guard compute.groups.isAvailable else { return }
            try await compute.makeInstance("a")
            let engine = try #require(compute.enginePID("a"))
            #expect(compute.groups.processes("a", .engine).contains(engine))
            for directory in compute.groups.directories("a", .engine) {
                for file in ["memory.limit_in_bytes", "memory.max"] where HostFiles.exists("\(directory)/\(file)") {
                    #expect(HostFiles.readText("\(directory)/\(file)") == "\(256 << 20)")
                }
                for (file, text) in [
                    ("cpu.cfs_quota_us", "100000"), ("cpu.max", "100000 100000"), ("pids.max", "2048"),
                ]
                where HostFiles.exists("\(directory)/\(file)") {
                    #expect(HostFiles.readText("\(directory)/\(file)") == text)
                }
            }
            let guest = try #require(HostFiles.readJSON(compute.paths.guestConfiguration("a")))
            #expect(guest["cgroup_procs"]?.arrayValue?.count == compute.groups.hierarchies.count)
            #expect(guest["oom"]?.arrayValue?.allSatisfy { HostFiles.exists($0.stringValue ?? "") } == true)
            try await compute.removeInstance("a")
        }
    }

    @Test("an agent that was never written down is found and not started twice", arguments: TestHost.modes)
    func lostRecord(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { host, compute in
            try await compute.makeInstance("a")
            let agent = try #require(agentPID(compute, "a"))
            unlink(compute.paths.agentRecord("a"))
            let after = try await LocalCompute.open(host.configuration)
            try await after.ensureServer("a")
            #expect(agentPID(after, "a") == agent)
            // A record of another boot, or of a number that has another owner now, means nothing.
            try HostFiles.writeJSON(
                after.paths.agentRecord("a"), AgentRecord(pid: getpid(), startTime: 1, bootID: after.bootID).json)
            #expect(agentPID(after, "a") == agent)
            try await after.removeInstance("a")
            await after.close()
        }
    }

    @Test(
        "the death of an agent is told once, and a new one is started beside the living engine",
        arguments: TestHost.modes)
    func death(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { _, compute in
            try await compute.makeInstance("a")
            let engine = try #require(compute.enginePID("a"))
            let agent = try #require(agentPID(compute, "a"))
            let (ends, report) = AsyncStream<String>.makeStream()
            await compute.watch(["a"]) { report.yield($0) }
            var iterator = ends.makeAsyncIterator()
            kill(agent, SIGKILL)
            #expect(await iterator.next() == "a")
            #expect(await compute.serverStatus("a") == .shutdown)
            try await compute.ensureServer("a")
            let next = try #require(agentPID(compute, "a"))
            #expect(next != agent)
            #expect(isRunning(engine))
            // The new one is watched without being asked again.
            kill(next, SIGKILL)
            #expect(await iterator.next() == "a")
            try await compute.ensureServer("a")
            try await compute.removeInstance("a")
            report.finish()
            #expect(await iterator.next() == nil)
            #expect(!isRunning(engine))
        }
    }

    @Test(
        "a reboot ends agent and engine and starts another agent, which is watched like the first",
        arguments: TestHost.modes)
    func reboot(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { _, compute in
            try await compute.makeInstance("a")
            let engine = try #require(compute.enginePID("a"))
            let agent = try #require(agentPID(compute, "a"))
            await compute.watch(["a"]) { id in try? await compute.ensureServer(id) }
            try await compute.rebootServer("a")
            #expect(!isRunning(engine) && !isRunning(agent))
            #expect(await compute.serverStatus("a") == .active)
            let next = try #require(agentPID(compute, "a"))
            #expect(next != agent)
            // Again, as after a crash in between.
            try await compute.rebootServer("a")
            #expect(!isRunning(next) && agentPID(compute, "a") != nil)
            await #expect(throws: ComputeError.self) { try await compute.rebootServer("b") }
            try await compute.removeInstance("a")
        }
    }

    @Test("one that is dead when it is first watched is told of at once")
    func deadBefore() async throws {
        try await TestHost.run(.plain) { _, compute in
            let (ends, report) = AsyncStream<String>.makeStream()
            await compute.watch(["gone"]) { report.yield($0) }
            var iterator = ends.makeAsyncIterator()
            #expect(await iterator.next() == "gone")
        }
    }

    @Test("after a reboot the volume is mounted and the agent started again", .enabled(if: TestHost.isRoot))
    func reboot() async throws {
        try await TestHost.run { host, compute in
            let placement = try await compute.makeInstance("a")
            #expect(compute.enginePID("a") != nil)
            try compute.endProcesses("a")
            if compute.volumes.hasImages {
                try compute.volumes.unmount(compute.paths.image("a"), at: compute.paths.mount("a"))
            }
            await compute.close()
            clinux_remove_tree(host.configuration.runDirectory)
            let after = try await LocalCompute.open(host.configuration)
            try await after.ensureServer("a")
            #expect(await after.serverStatus("a") == .active)
            #expect(after.claims.owner(.uid, "\(placement.uid)")?.instanceID == "a")
            #expect(after.enginePID("a") != nil)
            // The agent moves its engine into its own group a moment after it has started it.
            var inventory: Set<ComputeResource> = []
            for _ in 0..<200 {
                inventory = Set(try await after.inventory())
                if inventory == after.allResources("a") { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(inventory == after.allResources("a"))
            try await after.removeInstance("a")
            #expect(try await after.inventory() == [])
            await after.close()
        }
    }

    @Test("an instance that was never booted cannot be ensured, one without a placement not booted")
    func preconditions() async throws {
        try await TestHost.run(.plain) { _, compute in
            #expect(await computeError { try await compute.ensureServer("a") }?.code == .missing)
            let request = BootRequest(instanceID: "a", flavor: TestHost.flavor, guestConfiguration: TestHost.guest)
            #expect(await computeError { _ = try await compute.boot(request) }?.code == .missing)
        }
    }

    @Test("agent and volume can be made at the same time", arguments: TestHost.modes)
    func concurrently(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { _, compute in
            _ = try await compute.allocate("a", ports: [])
            async let volume = compute.createVolume(VolumeRequest(instanceID: "a", sizeGiB: 1, templateKey: nil))
            let request = BootRequest(instanceID: "a", flavor: TestHost.flavor, guestConfiguration: TestHost.guest)
            async let server = compute.boot(request)
            #expect(try await server == "a")
            #expect(HostFiles.exists(try await volume.dataDirectory))
            #expect(await compute.serverStatus("a") == .active)
            try await compute.removeInstance("a")
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("a program that is not there fails the boot with its name", arguments: TestHost.modes)
    func missingProgram(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode, prepare: { $0.guestExecutable = "/nonexistent/agent" }) { _, compute in
            let error = await computeError { try await compute.makeInstance("a") }
            #expect(error?.code == .missing)
            #expect(error?.message.contains("/nonexistent/agent") == true)
            try await compute.removeInstance("a")
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("an agent log that has grown large makes room")
    func logs() async throws {
        try await TestHost.run(.plain) { _, compute in
            try await compute.makeInstance("a")
            let log = "\(compute.paths.log("a"))/agent.log"
            let agent = try #require(agentPID(compute, "a"))
            // Ended first: a living agent still writes.
            kill(agent, SIGKILL)
            #expect(poll(for: .seconds(5)) { !isRunning(agent) })
            #expect(truncate(log, 9 << 20) == 0)
            try await compute.ensureServer("a")
            #expect(HostFiles.size(log + ".1") == 9 << 20)
            try await compute.removeInstance("a")
        }
    }
}
