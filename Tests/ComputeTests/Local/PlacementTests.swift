// SPDX-License-Identifier: Apache-2.0

import CLinux
import Glibc
import Model
import Testing

@testable import Compute

@Suite("Addresses and uids")
struct PlacementTests {
    /// A listener on address:port; the descriptor.
    private func listen(_ address: String, _ port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = inet_addr(address)
        let bound = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(bound == 0)
        try #require(Glibc.listen(descriptor, 1) == 0)
        return descriptor
    }

    @Test("a repeat gets the same placement, another instance another one", arguments: TestHost.modes)
    func repeats(mode: TestHost.Mode) async throws {
        try await TestHost.run(mode) { _, compute in
            let first = try await compute.allocate("a", ports: [7000, 7001])
            let again = try await compute.allocate("a", ports: [7000, 7001])
            let other = try await compute.allocate("b", ports: [7000])
            #expect(first == again)
            #expect(first.address != other.address)
            #expect((first.uid != other.uid) == (mode == .privileged))
            #expect(
                Set(try await compute.inventory())
                    == Set(["a", "b"].flatMap { compute.resources(for: $0, effect: .allocate) }))
            for id in ["a", "b", "a"] { try await compute.release(id) }
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("an address whose port has a listener is passed over, and named when there is no other")
    func takenPort() async throws {
        try await TestHost.run(.plain, prepare: { $0.addressRange = "127.59.\(Int.random(in: 0...255)).4/30" }) {
            _, compute in
            let range = compute.addresses
            let all = (0..<range.count).compactMap { range[$0] }
            let free = try #require(all.last)
            var sockets = try all.dropLast().map { try listen($0, 7009) }
            defer { for socket in sockets { close(socket) } }
            #expect(try await compute.allocate("a", ports: [7008, 7009]).address == free)
            try await compute.release("a")
            sockets.append(try listen(free, 7009))
            let error = await computeError { _ = try await compute.allocate("a", ports: [7008, 7009]) }
            #expect(error?.code == .addressInUse)
            #expect(error?.message.contains(":7009") == true)
            #expect(compute.claims.all(.address).isEmpty)
            try await compute.release("a")
        }
    }

    @Test("used-up addresses and uids are said to be exhausted", .enabled(if: TestHost.isRoot))
    func exhausted() async throws {
        try await TestHost.run(prepare: {
            $0.addressRange = "127.58.\(Int.random(in: 0...255)).8/31"
            $0.uidRange = 64990..<64991
        }) { _, compute in
            _ = try await compute.allocate("a", ports: [])
            let uids = await computeError { _ = try await compute.allocate("b", ports: []) }
            #expect(uids?.code == .exhausted)
            #expect(uids?.message.contains("uids") == true)
            let addresses = await computeError { _ = try await compute.allocate("c", ports: []) }
            #expect(addresses?.code == .exhausted)
            #expect(addresses?.message.contains("addresses") == true)
            for id in ["a", "b", "c"] { try await compute.release(id) }
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("homes on one host do not collide, and a home that is gone loses its claims")
    func homes() async throws {
        try await TestHost.run(.plain, prepare: { $0.addressRange = "127.57.\(Int.random(in: 0...255)).4/31" }) {
            host, compute in
            var second = host.configuration
            second.home = "\(host.base)/second"
            let other = try await LocalCompute.open(second)
            let first = try await compute.allocate("a", ports: [])
            let theirs = try await other.allocate("b", ports: [])
            #expect(first.address != theirs.address)
            #expect(try await compute.inventory().allSatisfy { $0.ownerID == "a" })
            #expect(await computeError { _ = try await compute.allocate("c", ports: []) }?.code == .exhausted)
            await other.close()
            clinux_remove_tree(second.home)
            #expect(try await compute.allocate("c", ports: []).address == theirs.address)
        }
    }

    @Test("a claim made before a crash could write it down is not leaked")
    func crashedClaim() async throws {
        try await TestHost.run(.plain) { _, compute in
            try HostFiles.makeDirectory(compute.paths.instance("a"), mode: 0o711)
            let stray = try #require(compute.addresses[77])
            #expect(try compute.claims.take(.address, stray, for: "a"))
            _ = try await compute.allocate("a", ports: [])
            #expect(compute.claims.all(.address).count == 1)
            try await compute.release("a")
            #expect(try compute.claims.take(.address, stray, for: "b"))
            #expect(try await compute.inventory() == [ComputeResource(kind: "address", tag: "b", ownerID: "b")])
            try await compute.release("b")
            #expect(try await compute.inventory() == [])
        }
    }

    @Test("claims come back after the run directory was emptied")
    func reboot() async throws {
        try await TestHost.run(.plain) { host, compute in
            let placement = try await compute.allocate("a", ports: [])
            clinux_remove_tree(host.configuration.runDirectory)
            let after = try await LocalCompute.open(host.configuration)
            #expect(after.claims.owner(.address, placement.address)?.instanceID == "a")
            await after.close()
        }
    }

    @Test("ids that are paths, and ports that are none, are refused")
    func badInput() async throws {
        try await TestHost.run(.plain) { _, compute in
            for id in ["../a", "", "a/b", ".trash"] {
                #expect(await computeError { _ = try await compute.allocate(id, ports: []) }?.code == .unsupported)
            }
            #expect(await computeError { _ = try await compute.allocate("a", ports: [70000]) }?.code == .unsupported)
        }
        for range in ["10.0.0.0/8", "127.0.0.0", "127.0.0.0/33", "127.0.0/24"] {
            #expect(throws: ComputeError.self) { try AddressRange(range) }
        }
    }
}
